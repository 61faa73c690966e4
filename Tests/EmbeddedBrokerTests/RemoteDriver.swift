import EmbeddedBroker

/// A driver whose requests go over sockets.
final class RemoteDriver: BrokerDriver {
    private let port: UInt16
    private var sockets: [ConnectionID: TestSocket] = [:]

    init(port: UInt16) throws {
        self.port = port
        try super.init()
    }

    /// Opens connections ahead of their first requests.
    func connect(_ connections: ClosedRange<UInt64>) throws {
        for number in connections { sockets[ConnectionID(number)] = try TestSocket(port: port) }
    }

    override func receive(_ bytes: [UInt8], from connection: ConnectionID) {
        if sockets[connection] == nil { sockets[connection] = try? TestSocket(port: port) }
        sockets[connection]?.send(TestSocket.framed(bytes))
    }

    override func takeAnswer(_ connection: ConnectionID) -> [UInt8]? { sockets[connection]?.receiveAnswer() }
}
