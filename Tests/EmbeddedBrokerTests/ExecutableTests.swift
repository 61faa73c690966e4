import EmbeddedBroker
import Foundation
import XCTest

/// The program as a user starts it.
final class ExecutableTests: XCTestCase {
    private func partitionCount(_ topic: String, port: UInt16) throws -> Int {
        let socket = try TestSocket(port: port)
        socket.send(TestSocket.framed(BrokerDriver.request(3, 1) { body in body.array([topic]) { $0.string($1) } }))
        let answer = try XCTUnwrap(socket.receiveAnswer())
        return try BrokerDriver.read(answer) { answer in
            _ = try answer.array { answer throws(WireError) in
                _ = try answer.int32()
                _ = try answer.string()
                _ = try answer.int32()
                _ = try answer.nullableString()
            }
            _ = try answer.int32()
            return try answer.array { answer throws(WireError) in
                _ = try answer.int16()
                _ = try answer.string()
                _ = try answer.bool()
                return try answer.array { answer throws(WireError) in
                    _ = try answer.int16()
                    for _ in 0..<2 { _ = try answer.int32() }
                    for _ in 0..<2 { _ = try answer.array { answer throws(WireError) in try answer.int32() } }
                }.count
            }[0]
        }
    }

    func testListensAndEndsOnSIGTERM() throws {
        let program = try Program(["--port", "0", "--topic", "orders:6", "--topic", "with:colon:2"])
        let complaints = program.finish()
        XCTAssertEqual(complaints.status, 1, "a colon is no character of a topic's name")
        XCTAssertTrue(complaints.errors.contains("with:colon"), complaints.errors)

        let sound = try Program(["--port", "0", "--topic", "orders:6"])
        XCTAssertEqual(try partitionCount("orders", port: try sound.port()), 6)
        XCTAssertEqual(sound.end(SIGTERM), 0)
        XCTAssertEqual(sound.process.terminationReason, .exit)
    }

    func testDataOutlivesSIGKILL() throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("broker-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        let first = try Program(["--port", "0", "--data", directory.path, "--topic", "orders:6"])
        _ = try first.port()
        _ = first.end(SIGKILL)
        let second = try Program(["--port", "0", "--data", directory.path])
        XCTAssertEqual(try partitionCount("orders", port: try second.port()), 6)
        XCTAssertEqual(second.end(SIGINT), 0)
    }

    func testHelpSaysWhatItIsFor() throws {
        let help = try Program(["--help"]).finish()
        XCTAssertEqual(help.status, 0)
        for part in ["Production runs on Apache Kafka", "--data", "--topic", "transaction.max.timeout.ms"] {
            XCTAssertTrue(help.output.contains(part), part)
        }
        XCTAssertTrue(try Program(["--version"]).finish().output.hasPrefix("embedded-broker "))
    }

    func testEveryMistakeIsToldAtOnce() throws {
        let mistaken = try Program([
            "--port", "70000", "--topic", "orders", "--set", "no.such=1", "--fsync", "--wrong", "--data",
        ]).finish()
        XCTAssertEqual(mistaken.status, 2)
        XCTAssertEqual(mistaken.output, "")
        for part in ["70000", "orders:6", "no.such", "--fsync needs", "--wrong", "--data needs a value"] {
            XCTAssertTrue(mistaken.errors.contains(part), "\(part) in: \(mistaken.errors)")
        }
    }

    func testOtherAddressesNeedAnExplicitWord() throws {
        let refused = try Program(["--port", "0", "--listen", "0.0.0.0"]).finish()
        XCTAssertEqual(refused.status, 1)
        XCTAssertTrue(refused.errors.contains("no authentication"), refused.errors)
    }
}
