import EmbeddedBroker
import Foundation
import XCTest

/// The program's memory, and many clients at once.
final class ManyClientsTests: XCTestCase {
    private static let apiVersions = TestSocket.framed(BrokerDriver.request(18, 0) { _ in })

    private func assertAnswersOthers(_ port: UInt16) throws {
        let other = try TestSocket(port: port)
        other.send(Self.apiVersions)
        XCTAssertNotNil(other.receiveAnswer())
    }

    func testEmptyBrokerTakesLessThanThirtyMegabytes() throws {
        let program = try Program(["--port", "0"])
        _ = try program.port()
        XCTAssertLessThan(try program.residentBytes(), 30_000_000)
    }

    /// A hundred clients announce the largest request there may be: ten gigabytes, of which they send a few bytes.
    func testNoMemoryIsSetAsideForWhatIsOnlyAnnounced() throws {
        let program = try Program(["--port", "0"])
        let port = try program.port()
        let before = try program.residentBytes()
        let clients = try (0..<100).map { _ in
            let client = try TestSocket(port: port)
            client.send([0x06, 0x40, 0, 0] + BrokerDriver.request(0, 7) { body in body.nullableString(nil) })
            return client
        }
        try assertAnswersOthers(port)
        XCTAssertLessThan(try program.residentBytes() - before, 50_000_000)
        let tooMuch = try TestSocket(port: port)
        tooMuch.send([0x06, 0x40, 0, 1])
        XCTAssertTrue(tooMuch.isClosedByPeer(), "one byte more than 100 MiB")
        withExtendedLifetime(clients) {}
        XCTAssertEqual(program.end(SIGTERM), 0)
    }

    func testThousandsOfConnections() throws {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let count = min(4_000, Int(clamping: limit.rlim_max) - 200)
        let program = try Program(["--port", "0"])
        let port = try program.port()
        let clients = try (0..<count).map { _ in try TestSocket(port: port) }
        // Every other one stops in the middle of its request.
        for (index, client) in clients.enumerated() {
            client.send(index % 2 == 0 ? Self.apiVersions : Array(Self.apiVersions.dropLast(3)))
        }
        for index in stride(from: 0, to: count, by: 2) { XCTAssertNotNil(clients[index].receiveAnswer()) }
        for index in stride(from: 1, to: count, by: 2) { clients[index].send(Array(Self.apiVersions.suffix(3))) }
        for index in stride(from: 1, to: count, by: 2) { XCTAssertNotNil(clients[index].receiveAnswer()) }
        XCTAssertLessThan(try program.residentBytes(), 300_000_000)
        XCTAssertEqual(program.end(SIGTERM), 0)
    }

    func testEndsOnSIGTERMWhileClientsWait() throws {
        let program = try Program(["--port", "0", "--topic", "t:1"])
        let driver = try RemoteDriver(port: try program.port())
        XCTAssertEqual(try driver.fetch("t").highWatermark, 0)
        driver.sendFetch("t", from: 0, committed: true, waitMilliseconds: 600_000)
        driver.sendJoin("g", on: ConnectionID(9))
        XCTAssertEqual(program.end(SIGTERM), 0)
        XCTAssertNil(try driver.takeFetched())
    }
}
