import StreamKit
import StreamKitTesting
import XCTest

/// The topologies that crashes and faults are tried on: one whose store keeps entries, one whose entries expire.
enum FixtureKind: CaseIterable {
    case counting, deduplicating

    func make(partitions: Int32 = 2) -> Fixture {
        switch self {
        case .counting: Fixture(partitions: partitions)
        case .deduplicating: DeduplicationFixture(partitions: partitions)
        }
    }
}

/// Reads `text@milliseconds`; a value that begins with `poison` is refused.
final class TimedReader: EventReader {
    func read(_ record: Record, into row: EventRow) throws(Refusal) {
        let text = record.value.map { String(decoding: $0, as: UTF8.self) } ?? ""
        guard !text.hasPrefix("poison"), let time = Self.time(of: text) else { throw Refusal("POISON", text) }
        row.key = record.key ?? Bytes(start: nil, count: 0)
        row.eventTimeMilliseconds = time
    }

    static func time(of text: String) -> Int64? { text.split(separator: "@").last.flatMap { Int64($0) } }
}

/// Deduplicates within a second of event time, of which a record brings some 90 ms: entries, and whole bundles, expire while a
/// test runs. Some records are late, some far ahead of the clock, some older than anything remembered.
final class DeduplicationFixture: Fixture {
    static let retention: Int64 = 1_000
    static let changelog = "app-seen-changelog"
    private var isCompacted = false

    static let deduplication = Topology(application) { flow in
        flow.source("in", topics: ["in"])
            .deduplicate("seen", within: .milliseconds(retention)) { _ in TimedReader() }
            .to("out", SinkDefinition("out"))
    }

    override init(plan: ThreadPlan = Fixture.plan(deduplication), partitions: Int32 = 2) {
        super.init(plan: plan, partitions: partitions)
        cluster.createTopic(Self.changelog, partitions: partitions)
    }

    override func compactChangelog() {
        isCompacted = true
        cluster.compact(Self.changelog)
    }

    override func produce(_ count: Int, keys: Int = 9, poisonEvery: Int = 7) {
        for _ in 0..<count {
            let number = inputCount + 1
            var time = 1_000_000 + Int64(number) * 90
            if number % 5 == 3 { time -= 250 }
            if number % 11 == 6 { time = 4_070_908_800_000 }
            if number % 13 == 9 { time = 5_000 }
            let poison = poisonEvery > 0 && number % poisonEvery == 0
            append(key: "k\(number % 9)", "\(poison ? "poison" : "r")\(number)@\(time)")
        }
    }

    /// What a partition's records lead to, by the rules alone.
    struct Expectation {
        var passed: [String] = []
        var refused: [String] = []
        var unknownOld = 0
        var watermark = Int64.min
        var seen: [String: Set<Int64>] = [:]

        init(_ records: [StoredRecord], now: Int64) {
            for record in records {
                let text = record.text ?? ""
                guard !text.hasPrefix("poison"), let time = TimedReader.time(of: text) else {
                    refused.append(text)
                    continue
                }
                let before = watermark
                if time <= now + 3_600_000 { watermark = max(watermark, time) }
                let known = (seen[record.keyText ?? ""] ?? []).filter { $0 + retention > before }
                if known.contains(where: { abs($0 - time) <= retention }) {
                    refused.append(text)
                } else {
                    passed.append(text)
                    if time + retention > before {
                        seen[record.keyText ?? ""] = known.union([time])
                    } else {
                        unknownOld += 1
                    }
                }
            }
            seen = Self.living(seen, watermark)
        }

        static func living(_ seen: [String: Set<Int64>], _ watermark: Int64) -> [String: Set<Int64>] {
            seen.mapValues { $0.filter { $0 + retention > watermark } }.filter { !$0.value.isEmpty }
        }
    }

    private func expectation(_ partition: Int32) -> Expectation {
        Expectation(
            cluster.records(in: "in").filter { $0.partition.partition == partition }, now: cluster.clock.nowMilliseconds
        )
    }

    override var expectedCounts: [String: Int] {
        let all = (0..<partitions).map(expectation)
        return [
            "read": inputCount, "dead": all.reduce(0) { $0 + $1.refused.count },
            "passed_unknown_old": all.reduce(0) { $0 + $1.unknownOld },
        ]
    }

    override func violations(stores: [InMemoryStores] = []) -> [String] {
        var found: [String] = []
        if !isThrough { found.append("not everything is committed; open: \(cluster.openTransactions)") }
        let dead = cluster.records(in: "dead").compactMap(\.text)
        var deadCount = 0
        for partition in 0..<partitions {
            let expected = expectation(partition)
            let passed = cluster.records(in: "out").filter { $0.partition.partition == partition }.compactMap(\.text)
            if passed != expected.passed { found.append("\(partition) passed \(passed), not \(expected.passed)") }
            for text in expected.refused where !dead.contains(where: { $0.contains("\"\(text)\"") }) {
                found.append("\(text) is no dead letter")
            }
            deadCount += expected.refused.count
            let changelog = BundledChangelog(cluster, Self.changelog, partition: partition)
            found += changelog.violations(watermark: expected.watermark, isCompacted: isCompacted)
            let restored = Expectation.living(changelog.entries.mapValues(Self.times), expected.watermark)
            if restored != expected.seen {
                found.append("changelog \(partition) holds \(restored), not \(expected.seen)")
            }
            if stores.isEmpty { continue }
            var entries: [String: Set<Int64>] = [:]
            for stores in stores {
                for (key, value) in stores.entries(of: "seen", partition: partition) {
                    entries[String(decoding: key, as: UTF8.self)] = Self.times(value)
                }
            }
            entries = Expectation.living(entries, expected.watermark)
            if entries != expected.seen { found.append("store \(partition) holds \(entries), not \(expected.seen)") }
        }
        if dead.count != deadCount { found.append("\(dead.count) dead letters, not \(deadCount)") }
        return found
    }

    /// The event times of an entry of the deduplicator.
    static func times(_ value: [UInt8]) -> Set<Int64> {
        Set(
            stride(from: 0, to: value.count, by: 16).map { start in
                value[start..<start + 8].reversed().reduce(0) { $0 << 8 | Int64($1) }
            })
    }
}

/// What the committed records of a changelog with bundles add up to, read by nothing but this.
struct BundledChangelog {
    private(set) var definitions = 0
    /// In the order in which they were written.
    private(set) var living: [(name: EntryBundle.Name, value: [UInt8])] = []
    private(set) var tombstones: [EntryBundle.Name] = []
    private(set) var bundleCount = 0
    private var faults: [String] = []
    private var surplus: [String] = []

    init(_ cluster: InMemoryCluster, _ topic: String, partition: Int32) {
        for record in cluster.records(in: topic) where record.partition.partition == partition {
            guard let key = record.key else {
                faults.append("a record without a key")
                continue
            }
            if key == [1, 1] {
                definitions += 1
                if bundleCount + tombstones.count > 0 { faults.append("the definition is not the first record") }
                continue
            }
            guard key.count == 18, key[0] == 1, key[1] == 2 else {
                faults.append("a key \(key)")
                continue
            }
            func integer(_ bytes: ArraySlice<UInt8>) -> Int64 { bytes.reduce(0) { $0 << 8 | Int64($1) } }
            let name = EntryBundle.Name(bucketEndMilliseconds: integer(key[2..<10]), slot: integer(key[10...]))
            let before = living.firstIndex { $0.name == name }
            if let value = record.value {
                bundleCount += 1
                if let before {
                    faults.append("\(name) is written over")
                    living.remove(at: before)
                }
                living.append((name, value))
            } else {
                tombstones.append(name)
                if let before { living.remove(at: before) } else { surplus.append("a tombstone of nothing: \(name)") }
            }
        }
        if bundleCount > 0 && definitions != 1 { faults.append("\(definitions) definitions") }
    }

    /// Compaction takes bundles away together with their tombstones; who has not seen those may write them again.
    func violations(watermark: Int64, isCompacted: Bool) -> [String] {
        var found = faults
        if !isCompacted { found += surplus }
        for bundle in living where bundle.name.bucketEndMilliseconds <= watermark {
            found.append("\(bundle.name) is alive at \(watermark)")
        }
        return found
    }

    /// The entries of the living bundles, the last of each key.
    var entries: [String: [UInt8]] {
        var entries: [String: [UInt8]] = [:]
        for bundle in living {
            var rest = bundle.value[...]
            func count(_ from: Int) -> Int { rest.dropFirst(from).prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) } }
            while !rest.isEmpty {
                let (key, value) = (count(0), count(4))
                entries[String(decoding: rest.dropFirst(8).prefix(key), as: UTF8.self)] = Array(
                    rest.dropFirst(8 + key).prefix(value))
                rest = rest.dropFirst(8 + key + value)
            }
        }
        return entries
    }
}
