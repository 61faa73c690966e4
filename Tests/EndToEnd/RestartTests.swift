import Foundation
import TestSupport
import XCTest

/// `RESTART_IDS=1000000`: how long a deduplicator that was killed with so many ids in its store takes until it commits again, from
/// the start of the process on. What it takes is said, not judged: machines differ.
final class RestartTests: XCTestCase {
    private static let rounds = 5

    func testOnTheEmbeddedBroker() throws {
        try measure { _ in try EmbeddedBrokerProcess() }
    }

    func testOnKafka() throws {
        try measure { try RealBroker($0) }
    }

    private func measure(_ test: String = #function, _ makeBroker: (String) throws -> any Broker) throws {
        guard let ids = ProcessInfo.processInfo.environment["RESTART_IDS"].flatMap({ Int($0) }) else {
            throw XCTSkip("RESTART_IDS=1000000 measures it")
        }
        let broker = try makeBroker(test)
        defer { broker.stop() }
        for store in ["memory", "rocksdb"] {
            let pipeline = try OrderPipeline(on: broker)
            defer { pipeline.stop() }
            let settings = ["store=\(store)"]
            try pipeline.start("deduplicator", settings: settings)
            var next = 0
            func load(_ count: Int) throws {
                let numbers = next..<next + count
                next += count
                try pipeline.load(numbers.map { Self.order($0, pipeline.partitions) }, to: .enriched)
            }
            while next < ids { try load(min(20_000, ids - next)) }
            try pipeline.waitUntilCommitted("deduplicator", .enriched, within: 900)
            var taken: [(wall: Double, processor: Double)] = []
            for round in 0..<Self.rounds {
                try pipeline.kill("deduplicator")
                try load(1)
                // One that the store has to remember.
                try pipeline.load([Self.order(round * ids / Self.rounds, pipeline.partitions)], to: .enriched)
                let began = Date()
                try pipeline.start("deduplicator", settings: settings)
                try pipeline.waitUntilCommitted("deduplicator", .enriched, within: 120)
                let wall = Date().timeIntervalSince(began)
                taken.append((wall, try pipeline.process("deduplicator").processorSeconds))
            }
            let text = taken.sorted { $0.wall < $1.wall }.map { String(format: "%.2f (%.2f)", $0.wall, $0.processor) }
            say(
                "restart with \(ids) ids, \(store), \(test): s until it commits again (and of its processor time): "
                    + text.joined(separator: ", "))
            try pipeline.terminate("deduplicator")
            let reader = try TopicReader(broker.bootstrapServers, topics: [pipeline.topic(.dlq): pipeline.partitions])
            try reader.readToEnd()
            XCTAssertEqual(reader.records[pipeline.topic(.dlq)]?.count, Self.rounds)
        }
    }

    /// Ten milliseconds of event time apart: all of them within what is remembered.
    private static func order(_ number: Int, _ partitions: Int32) -> RawRecord {
        let identifier = "ORD-20250113-\(String(format: "%09d", number))"
        let time = CivilClock.text(1_736_780_400_000 + Int64(number) * 10)
        let text =
            #"{"order_id":"\#(identifier)","customer_id":"CUST-US-1","amount":"149.99","currency":"USD","#
            + #""status":"confirmed","timestamp":"\#(time)","items_count":3}"#
        let partition = Int32(number) % partitions
        return RawRecord(
            partition: partition, key: [UInt8](identifier.utf8), value: [UInt8](text.utf8), timestampMilliseconds: 0)
    }
}
