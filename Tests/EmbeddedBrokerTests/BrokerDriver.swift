import EmbeddedBroker
import XCTest

/// Drives a core by hand: requests in, answers out, with a clock that moves only when a test moves it.
class BrokerDriver {
    let core: BrokerCore
    private(set) var now = Moment(wallMilliseconds: 1_700_000_000_000, steadyMilliseconds: 1_000)
    private var nextCorrelationID: Int32 = 1
    private var answers: [ConnectionID: [[UInt8]]] = [:]
    /// Every answer, in the order in which they came.
    private(set) var sent: [[UInt8]] = []
    private var known: Set<ConnectionID> = []
    /// Every request that was handed in.
    private(set) var received: [[UInt8]] = []
    private(set) var closed: [ConnectionID: String] = [:]

    init(_ configure: (inout BrokerConfiguration) -> Void = { _ in }) throws {
        var configuration = BrokerConfiguration()
        configuration.initialRebalanceDelayMilliseconds = 0
        configure(&configuration)
        core = try BrokerCore(
            configuration: configuration, host: "127.0.0.1", port: 9092, seed: 7,
            now: Moment(wallMilliseconds: 1_700_000_000_000, steadyMilliseconds: 1_000))
    }

    /// Moves both clocks, and lets what is due happen.
    func advance(_ milliseconds: Int64) {
        now.wallMilliseconds += milliseconds
        now.steadyMilliseconds += milliseconds
        core.advance(to: now)
        collect()
    }

    /// Hands in raw bytes, as a client might send them, without the length in front.
    func receive(_ bytes: [UInt8], from connection: ConnectionID) {
        received.append(bytes)
        if known.insert(connection).inserted { core.open(connection, clientHost: "/127.0.0.1") }
        bytes.withUnsafeBytes { core.receive($0, from: connection) }
        collect()
    }

    private func collect() {
        guard let actions = try? core.takeActions() else { return XCTFail("storage failed") }
        for action in actions {
            switch action {
            case .send(let connection, let response):
                sent.append(response.contiguousBytes())
                answers[connection, default: []].append(response.contiguousBytes())
            case .done: break
            case .close(let connection, let reason): closed[connection] = reason
            }
        }
    }

    /// The next answer on a connection, from after its length on; nil while there is none.
    func takeAnswer(_ connection: ConnectionID) -> [UInt8]? {
        guard var waiting = answers[connection], !waiting.isEmpty else { return nil }
        let answer = waiting.removeFirst()
        answers[connection] = waiting
        let length = answer[..<4].reduce(0) { $0 << 8 | Int($1) }
        XCTAssertEqual(length, answer.count - 4, "the length in front of an answer")
        return Array(answer[4...])
    }

    /// Sends a request in a version that is not flexible.
    func send(_ key: Int16, _ version: Int16, on connection: ConnectionID, _ body: (inout WireWriter) -> Void) {
        receive(Self.request(key, version, correlationID: nextCorrelationID, body), from: connection)
        nextCorrelationID += 1
    }

    static func request(
        _ key: Int16, _ version: Int16, correlationID: Int32 = 1, _ body: (inout WireWriter) -> Void
    ) -> [UInt8] {
        var writer = WireWriter(flexible: false)
        writer.int16(key)
        writer.int16(version)
        writer.int32(correlationID)
        writer.string("test")
        body(&writer)
        return writer.written
    }

    /// What was asked is not answered: by a core it must be at once, over a socket while the connection lasts.
    struct NoAnswer: Error {
        let key: Int16
    }

    /// Sends a request and reads its answer.
    func ask<Answer>(
        _ key: Int16, _ version: Int16, on connection: ConnectionID = ConnectionID(1),
        _ body: (inout WireWriter) -> Void, reading read: (inout WireReader) throws -> Answer
    ) throws -> Answer {
        send(key, version, on: connection, body)
        guard let answer = takeAnswer(connection) else { throw NoAnswer(key: key) }
        return try Self.read(answer, read)
    }

    static func read<Answer>(_ answer: [UInt8], _ read: (inout WireReader) throws -> Answer) throws -> Answer {
        try answer.withUnsafeBytes { bytes in
            var reader = WireReader(bytes, flexible: false)
            _ = try reader.int32()
            return try read(&reader)
        }
    }
}
