internal import Glibc

/// A bound socket. Opened here and not by libmicrohttpd, which does not tell why it failed.
struct ListeningSocket {
    let descriptor: Int32
    /// With the port that the system chose, if 0 was asked for.
    let address: ListenAddress

    static func open(_ address: ListenAddress) throws(HTTPServerError) -> ListeningSocket {
        func failure() -> HTTPServerError {
            HTTPServerError(description: "cannot listen on \(address): \(String(cString: strerror(errno)))")
        }
        let family = address.isIPv6 ? AF_INET6 : AF_INET
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(family, type, 0)
        guard descriptor >= 0 else { throw failure() }
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        guard bind(descriptor, address), listen(descriptor, 128) == 0, let port = port(of: descriptor) else {
            let failure = failure()
            close(descriptor)
            throw failure
        }
        return ListeningSocket(descriptor: descriptor, address: ListenAddress(host: address.host, port: port))
    }

    private static func bind(_ descriptor: Int32, _ address: ListenAddress) -> Bool {
        if address.isIPv6 {
            var name = sockaddr_in6()
            name.sin6_family = sa_family_t(AF_INET6)
            name.sin6_port = address.port.bigEndian
            inet_pton(AF_INET6, address.host, &name.sin6_addr)
            return withSocketAddress(&name) { Glibc.bind(descriptor, $0, $1) == 0 }
        }
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = address.port.bigEndian
        inet_pton(AF_INET, address.host, &name.sin_addr)
        return withSocketAddress(&name) { Glibc.bind(descriptor, $0, $1) == 0 }
    }

    private static func port(of descriptor: Int32) -> UInt16? {
        // The port stands at the same place for both families.
        var name = sockaddr_in6()
        var size = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let isKnown = withSocketAddress(&name) { pointer, _ in getsockname(descriptor, pointer, &size) == 0 }
        return isKnown ? UInt16(bigEndian: name.sin6_port) : nil
    }

    private static func withSocketAddress<Name>(
        _ name: inout Name, _ body: (UnsafeMutablePointer<sockaddr>, socklen_t) -> Bool
    ) -> Bool {
        withUnsafeMutablePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<Name>.size)) }
        }
    }
}
