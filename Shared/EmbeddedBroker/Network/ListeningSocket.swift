import CLinux
import Glibc

/// A socket that takes connections.
final class ListeningSocket {
    let descriptor: Int32
    let port: UInt16

    /// - Parameter port: 0 takes a free one.
    init(address: String, port: UInt16) throws(BrokerStartError) {
        func failure(_ what: String) -> BrokerStartError {
            BrokerStartError("\(what) \(address):\(port): \(strerror(errno).map { String(cString: $0) } ?? "")")
        }
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        guard inet_pton(AF_INET, address, &name.sin_addr) == 1 else {
            throw BrokerStartError("'\(address)' is no IPv4 address")
        }
        let descriptor = socket(
            AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw failure("cannot create a socket for") }
        self.descriptor = descriptor
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        setSocketOption(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
        let isBound = withUnsafeMutablePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) == 0 && listen(descriptor, 1024) == 0
                    && getsockname(descriptor, address, &length) == 0
            }
        }
        guard isBound else {
            let error = failure("cannot listen on")
            _ = close(descriptor)
            throw error
        }
        self.port = UInt16(bigEndian: name.sin_port)
    }

    deinit { _ = close(descriptor) }

    enum Accepted {
        case connection(Int32, host: String)
        case none
        /// No descriptors are left.
        case exhausted
    }

    func accept() -> Accepted {
        var name = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let accepted = withUnsafeMutablePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                accept4(descriptor, address, &length, Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue))
            }
        }
        guard accepted >= 0 else {
            let isExhausted = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM
            return isExhausted ? .exhausted : .none
        }
        setSocketOption(accepted, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        let bytes = withUnsafeBytes(of: name.sin_addr.s_addr) { $0.map(String.init) }
        return .connection(accepted, host: "/" + bytes.joined(separator: "."))
    }
}

private func setSocketOption(_ descriptor: Int32, _ level: Int32, _ option: Int32, _ value: Int32) {
    var value = value
    _ = setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
}
