import EmbeddedBroker
import Glibc
import XCTest

/// The broker behind real sockets: what clients can do to it, and what others notice of that.
final class NetworkTests: XCTestCase {
    private var broker: EmbeddedBroker!

    override func setUpWithError() throws {
        var configuration = BrokerConfiguration()
        configuration.topics = [.init(name: "t", partitions: 1)]
        broker = try EmbeddedBroker(configuration)
    }

    override func tearDown() { broker.stop() }

    private func connect() throws -> TestSocket { try TestSocket(port: broker.port) }

    private static let apiVersions = BrokerDriver.request(18, 0) { _ in }

    private func assertAnswers(_ socket: TestSocket, _ message: String = "") {
        socket.send(TestSocket.framed(Self.apiVersions))
        XCTAssertNotNil(socket.receiveAnswer(), message)
    }

    func testRequestThatComesByteByByte() throws {
        let socket = try connect()
        for byte in TestSocket.framed(Self.apiVersions) { socket.send([byte]) }
        XCTAssertNotNil(socket.receiveAnswer())
    }

    func testRequestsSentAheadAreAnsweredInTheirOrder() throws {
        let socket = try connect()
        var ahead: [UInt8] = []
        for number in Int32(0)..<500 {
            ahead += TestSocket.framed(BrokerDriver.request(18, 0, correlationID: number) { _ in })
        }
        socket.send(ahead)
        for number in Int32(0)..<500 {
            let answer = try XCTUnwrap(socket.receiveAnswer())
            XCTAssertEqual(answer[..<4].reduce(0) { $0 << 8 | Int32($1) }, number)
        }
    }

    func testUnknownVersionOfApiVersionsIsAnsweredInVersion0() throws {
        let socket = try connect()
        socket.send(TestSocket.framed(BrokerDriver.request(18, 99) { _ in }))
        let answer = try XCTUnwrap(socket.receiveAnswer())
        XCTAssertEqual(Array(answer[4..<6]), [0, 35])
        assertAnswers(socket, "the same connection goes on")
    }

    func testWhatCannotBeUnderstoodClosesItsConnectionAlone() throws {
        let other = try connect()
        assertAnswers(other)
        let hostile: [[UInt8]] = [
            [0xff, 0xff, 0xff, 0xff],
            [0x7f, 0xff, 0xff, 0xff],
            TestSocket.framed([]),
            TestSocket.framed([1, 2, 3]),
            TestSocket.framed(BrokerDriver.request(999, 0) { _ in }),
            TestSocket.framed(BrokerDriver.request(0, 2) { _ in }),
            TestSocket.framed(BrokerDriver.request(1, 12) { body in body.int8(1) }),
            Array("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8),
        ]
        for bytes in hostile {
            let socket = try connect()
            socket.send(bytes)
            XCTAssertTrue(socket.isClosedByPeer(), "\(bytes)")
            assertAnswers(other)
        }
    }

    func testHalfARequestHarmsNobody() throws {
        for _ in 0..<50 {
            let socket = try connect()
            socket.send(Array(TestSocket.framed(Self.apiVersions).dropLast(3)))
        }
        assertAnswers(try connect())
    }

    func testClientThatDoesNotReadIsNotSentEverything() throws {
        let writer = try connect()
        let value = String(repeating: "x", count: 900_000)
        for _ in 0..<20 {
            writer.send(TestSocket.framed(Self.produceRequest(Batches.batch(value))))
            XCTAssertNotNil(writer.receiveAnswer())
        }
        let slow = try connect()
        for _ in 0..<50 { slow.send(TestSocket.framed(Self.fetchRequest())) }
        assertAnswers(writer, "others go on")
        for _ in 0..<50 { XCTAssertEqual(slow.receiveAnswer().map { $0.count > 18_000_000 }, true) }
    }

    func testStopClosesConnectionsAndFreesThePort() throws {
        let socket = try connect()
        assertAnswers(socket)
        broker.stop()
        XCTAssertTrue(socket.isClosedByPeer())
        broker.stop()
        var again = BrokerConfiguration()
        again.port = broker.port
        let second = try EmbeddedBroker(again)
        XCTAssertEqual(second.port, broker.port)
        second.stop()
    }

    func testConfigurationErrorsAreToldAllAtOnce() {
        var configuration = BrokerConfiguration()
        configuration.listenAddress = "0.0.0.0"
        configuration.topics = [.init(name: "a/b", partitions: 0)]
        XCTAssertThrowsError(try EmbeddedBroker(configuration)) { error in
            let text = "\(error)"
            for part in ["no authentication", "advertised host", "a/b", "partitions"] {
                XCTAssertTrue(text.contains(part), "\(part) in: \(text)")
            }
        }
    }

    private static func produceRequest(_ batch: [UInt8]) -> [UInt8] {
        BrokerDriver.request(0, 7) { body in
            body.nullableString(nil)
            body.int16(-1)
            body.int32(1_000)
            body.array(["t"]) { body, topic in
                body.string(topic)
                body.array([Int32(0)]) { body, partition in
                    body.int32(partition)
                    body.bytes(batch)
                }
            }
        }
    }

    private static func fetchRequest() -> [UInt8] {
        BrokerDriver.request(1, 4) { body in
            body.int32(-1)
            body.int32(0)
            body.int32(1)
            body.int32(40_000_000)
            body.int8(1)
            body.array(["t"]) { body, topic in
                body.string(topic)
                body.array([Int32(0)]) { body, partition in
                    body.int32(partition)
                    body.int64(0)
                    body.int32(40_000_000)
                }
            }
        }
    }
}

/// A blocking client socket; a call that takes longer than thirty seconds fails.
final class TestSocket {
    private let descriptor: Int32

    init(port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var patience = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        try XCTSkipIf(descriptor < 0, "no descriptor left for the test itself")
        XCTAssertTrue(isConnected)
    }

    deinit { close(descriptor) }

    static func framed(_ request: [UInt8]) -> [UInt8] {
        let length = UInt32(request.count)
        return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) } + request
    }

    func send(_ bytes: [UInt8]) {
        var sent = 0
        bytes.withUnsafeBytes { buffer in
            while sent < buffer.count {
                let count = Glibc.send(
                    descriptor, buffer.baseAddress.map { $0 + sent }, buffer.count - sent, Int32(MSG_NOSIGNAL))
                if count <= 0 { return }
                sent += count
            }
        }
    }

    private func receive(_ count: Int) -> [UInt8]? {
        var received = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            while received < count {
                let more = recv(descriptor, buffer.baseAddress.map { $0 + received }, count - received, 0)
                if more <= 0 { break }
                received += more
            }
            initialized = received
        }
        return received == count ? bytes : nil
    }

    /// The next answer, from after its length on; nil if the connection ends.
    func receiveAnswer() -> [UInt8]? {
        guard let length = receive(4) else { return nil }
        return receive(length.reduce(0) { $0 << 8 | Int($1) })
    }

    func isClosedByPeer() -> Bool {
        var byte: UInt8 = 0
        let count = recv(descriptor, &byte, 1, 0)
        return count == 0 || (count < 0 && errno == ECONNRESET)
    }
}
