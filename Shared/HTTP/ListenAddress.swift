internal import Glibc

/// A numeric address and port to listen on: `127.0.0.1:0`, `0.0.0.0:8080`, `[::1]:8080`. Port 0 lets the system choose one.
public struct ListenAddress: Sendable, Equatable, CustomStringConvertible {
    public let host: String
    public let port: UInt16

    /// - Returns: `nil` unless it is an IPv4 address, an IPv6 address in brackets, or `localhost` (127.0.0.1), and a port.
    public init?(_ text: String) {
        guard let separator = text.lastIndex(of: ":") else { return nil }
        let portText = text[text.index(after: separator)...]
        var host = String(text[..<separator])
        guard portText.allSatisfy({ $0.isASCII && $0.isNumber }), let port = UInt16(portText) else { return nil }
        if host == "localhost" { host = "127.0.0.1" }
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
            var address = in6_addr()
            guard inet_pton(AF_INET6, host, &address) == 1 else { return nil }
        } else {
            var address = in_addr()
            guard inet_pton(AF_INET, host, &address) == 1 else { return nil }
        }
        self.host = host
        self.port = port
    }

    init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    var isIPv6: Bool { host.contains(":") }

    public var description: String { isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

extension ListenAddress {
    /// A free port of this machine, reachable from it alone.
    public static let thisMachine = ListenAddress(host: "127.0.0.1", port: 0)
    /// Port 8080 of every IPv4 address, as containers offer it.
    public static let everywhere = ListenAddress(host: "0.0.0.0", port: 8080)
}
