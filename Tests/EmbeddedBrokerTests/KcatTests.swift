import EmbeddedBroker
import XCTest

/// librdkafka as Debian ships it, through kcat.
final class KcatTests: XCTestCase {
    private var broker: EmbeddedBroker!

    override func setUpWithError() throws {
        guard try ForeignClient.exists("kcat") else { try leaveOut(because: "kcat is not installed") }
        var configuration = BrokerConfiguration()
        configuration.topics = [.init(name: "t", partitions: 3)]
        broker = try EmbeddedBroker(configuration)
    }

    override func tearDown() { broker?.stop() }

    private func kcat(_ arguments: [String], input: String = "") throws -> ForeignClient.Ended {
        let ended = try ForeignClient.run(["kcat", "-q", "-b", broker.bootstrapServers] + arguments, input: input)
        XCTAssertEqual(ended.status, 0, "\(arguments): \(ended.errors)")
        return ended
    }

    private func values(_ range: ClosedRange<Int>) -> String { range.map { "\($0)\n" }.joined() }

    private func consumed(_ isolation: String) throws -> Set<Int> {
        let read = try kcat(["-C", "-t", "t", "-o", "beginning", "-e", "-X", "isolation.level=\(isolation)"])
        XCTAssertEqual(Set(read.lines).count, read.lines.count, "nothing twice")
        return Set(read.lines.compactMap { Int($0) })
    }

    func testProducesAndConsumesEveryCompression() throws {
        for (index, codec) in ["none", "gzip", "snappy", "lz4", "zstd"].enumerated() {
            let first = index * 100 + 1
            _ = try kcat(["-P", "-t", "t", "-z", codec], input: values(first...first + 99))
        }
        XCTAssertEqual(try consumed("read_committed"), Set(1...500))
    }

    func testProducesInTransactions() throws {
        _ = try kcat(["-P", "-t", "t", "-X", "transactional.id=kcat"], input: values(1...1_000))
        XCTAssertEqual(try consumed("read_committed"), Set(1...1_000))
    }

    func testConsumesAsAGroupFromWhereItStopped() throws {
        let arguments = ["-G", "g", "-e", "-X", "auto.offset.reset=earliest", "t"]
        _ = try kcat(["-P", "-t", "t"], input: values(1...100))
        XCTAssertEqual(Set(try kcat(arguments).lines.compactMap { Int($0) }), Set(1...100))
        _ = try kcat(["-P", "-t", "t"], input: values(101...150))
        XCTAssertEqual(Set(try kcat(arguments).lines.compactMap { Int($0) }), Set(101...150))
    }

    func testListsTopicsAndFindsOffsetsByTime() throws {
        _ = try kcat(["-P", "-t", "t", "-p", "1"], input: values(1...10))
        XCTAssertTrue(try kcat(["-L"]).output.contains("topic \"t\" with 3 partitions"))
        XCTAssertEqual(try kcat(["-Q", "-t", "t:1:0"]).output, "t [1] offset 0\n")
        XCTAssertEqual(try kcat(["-Q", "-t", "t:1:-1"]).output, "t [1] offset 10\n")
    }
}
