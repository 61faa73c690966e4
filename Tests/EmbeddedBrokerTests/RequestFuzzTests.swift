import EmbeddedBroker
import XCTest

/// Mutated requests against a whole core: an answer, a refusal or a closed connection, never a crash, and a client with a
/// sound request does not notice.
///
/// `EMBEDDED_BROKER_FUZZ_REQUESTS` sets how many (a million by default, a tenth of it in a debug build),
/// `EMBEDDED_BROKER_FUZZ_SEED` which.
final class RequestFuzzTests: XCTestCase {
    #if DEBUG
        private static let defaultCount = 100_000
    #else
        private static let defaultCount = 1_000_000
    #endif

    private struct Mutator {
        private var state: UInt64

        init(seed: UInt64) { state = seed }

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 16
        }

        mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(1, bound))) }

        mutating func mutate(_ request: [UInt8], with other: [UInt8]) -> [UInt8] {
            var bytes = request
            for _ in 0...(below(2) * below(4)) {
                guard !bytes.isEmpty else { break }
                // Mostly behind the header, which refuses everything that is not very nearly right.
                let position = min(below(4) == 0 ? 0 : 14, bytes.count - 1) + below(max(1, bytes.count - 14))
                guard position < bytes.count else { continue }
                switch below(10) {
                case 0: bytes[position] ^= 1 << UInt8(below(8))
                case 1: bytes[position] = UInt8(truncatingIfNeeded: next())
                case 2: bytes.removeSubrange(position..<min(bytes.count, position + 1 + below(8)))
                case 3:
                    bytes.insert(
                        contentsOf: (0...below(8)).map { _ in UInt8(truncatingIfNeeded: next()) }, at: position)
                case 4: bytes = Array(bytes[..<position])
                case 5: overwrite(&bytes, position, [0x7f, 0xff, 0xff, 0xff])
                case 6: overwrite(&bytes, position, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])
                case 7: overwrite(&bytes, position, [0x80, 0, 0, 0, 0, 0, 0, 0])
                case 8: bytes = Array(bytes[..<position]) + Array(other[min(position, other.count)...])
                default: overwrite(&bytes, 0, [0, UInt8(below(70)), 0, UInt8(below(20))])
                }
            }
            return bytes
        }

        /// Other bytes here and there behind `start`, the length unchanged.
        mutating func overwriteBytes(_ bytes: inout [UInt8], from start: Int) {
            for _ in 0...below(3) { bytes[start + below(bytes.count - start)] = UInt8(truncatingIfNeeded: next()) }
        }

        private func overwrite(_ bytes: inout [UInt8], _ position: Int, _ replacement: [UInt8]) {
            for (index, byte) in replacement.enumerated() where position + index < bytes.count {
                bytes[position + index] = byte
            }
        }
    }

    /// Every key in every version, with a body of counted zeros and small numbers, which reaches far into most decoders.
    private static func plainRequests() -> [[UInt8]] {
        var requests: [[UInt8]] = []
        for key in Int16(0)..<70 {
            for version in Int16(0)..<20 {
                for fill in [UInt8(0), 1, 2] {
                    requests.append(
                        BrokerDriver.request(key, version) { body in
                            for _ in 0..<60 { body.int8(Int8(fill)) }
                        })
                }
            }
        }
        return requests
    }

    /// Requests as the other tests send them, in the order of a small life of topics, groups and transactions.
    private static func soundRequests() throws -> [[UInt8]] {
        let broker = try BrokerDriver()
        _ = try broker.createTopic("t", partitions: 3, settings: ["cleanup.policy": "compact,delete"])
        let producer = try broker.initProducer("tx").producer
        _ = try broker.addPartition("t", to: "tx", producer)
        _ = try broker.addOffsets(of: "g", to: "tx", producer)
        _ = try broker.produce(
            Batches.batch([.init("a", key: "k")], producer: producer, sequence: 0, transactional: true), to: "t")
        _ = try broker.produce(Batches.batch([.init("b", key: "k"), .init(nil, key: "l")]), to: "t")
        _ = try broker.commitOffsetInTransaction(1, topic: "t", group: "g", transactionalID: "tx", producer)
        _ = try broker.commitOffset(2, topic: "t", group: "g")
        _ = try broker.fetchOffset(topic: "t", group: "g")
        _ = try broker.fetchOffset(topic: "t", group: "g", requireStable: true)
        _ = try broker.fetch("t")
        broker.sendFetch(try broker.topicID("t"), version: 18, from: 0, waitMilliseconds: 100)
        _ = try broker.listOffset("t", timestamp: 0)
        _ = try broker.deleteRecords(of: "t", before: 1)
        _ = try broker.end("tx", producer, commit: true)
        let member = try broker.joinAndSync("g", sessionTimeoutMilliseconds: 10_000)
        _ = try broker.heartbeat("g", member)
        return broker.received
    }

    func testMutatedRequestsNeverStopTheBroker() throws {
        let environment = ProcessInfo.processInfo.environment
        let count = environment["EMBEDDED_BROKER_FUZZ_REQUESTS"].flatMap { Int($0) } ?? Self.defaultCount
        let seed = environment["EMBEDDED_BROKER_FUZZ_SEED"].flatMap { UInt64($0) } ?? 1
        let sound = try Self.soundRequests()
        let plain = Self.plainRequests()
        let batches = [
            Batches.batch([.init("a", key: "k"), .init(nil, key: "l", timestampDelta: 3)]), Batches.gzip,
            Batches.batch([.init("b", key: "k")], producer: ProducerIdentity(id: 5, epoch: 0), sequence: 0),
        ]
        var mutator = Mutator(seed: seed)
        var broker = try BrokerDriver()
        var answered = 0
        for number in 0..<count {
            if number % 1_000 == 0 {
                broker = try BrokerDriver()
                for request in sound { broker.receive(request, from: ConnectionID(1)) }
                while broker.takeAnswer(ConnectionID(1)) != nil {}
            }
            if number % 20 == 0 {
                // A checksum that is right lets through what nobody should send, to be stored, searched and compacted.
                let batch = batches[mutator.below(batches.count)]
                let altered = Batches.altered(batch) { mutator.overwriteBytes(&$0, from: 21) }
                _ = try broker.produce(altered, to: "t")
                _ = try broker.listOffset("t", timestamp: Batches.baseTimestamp + Int64(mutator.below(100)) - 50)
                _ = try broker.fetch("t", from: Int64(mutator.below(20)), maximumBytes: 2_000)
                continue
            }
            let corpus = mutator.below(5) == 0 ? plain : sound
            let request = mutator.mutate(
                corpus[mutator.below(corpus.count)], with: corpus[mutator.below(corpus.count)])
            let connection = ConnectionID(UInt64(10 + number % 50))
            broker.receive(request, from: connection)
            while broker.takeAnswer(connection) != nil { answered += 1 }
            if number % 100 == 0 {
                broker.advance(Int64(mutator.below(2_000)))
                XCTAssertEqual(try broker.apiVersionsError(), 0, "after request \(number) of seed \(seed)")
            }
        }
        XCTAssertGreaterThan(answered, count / 10, "many must get through the decoder, or nothing behind it is tried")
        XCTAssertEqual(try broker.createTopic("still-alive"), 0)
        XCTAssertEqual(try broker.produce(Batches.batch("a"), to: "still-alive").error, 0)
        XCTAssertEqual(try broker.fetch("still-alive").baseOffsets, [0])
    }
}
