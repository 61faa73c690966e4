import StreamKit
import StreamKitTesting
import TestSupport
import XCTest

/// Counts the records of each key in a store and appends the count to the value: `v` becomes `v#3`. A value that begins with
/// `poison` is refused. What is counted twice, or not at all, shows in every output after it.
final class CountingProcessor: Processor {
    static let store = StoreDefinition("counts", format: "count/1")
    private let store: KeyValueStore
    private let counted: TransactionCounter
    private var buffer: [UInt8] = []

    override init(_ context: ProcessorContext) {
        store = context.store(Self.store.name)
        counted = context.counter("counted")
        super.init(context)
    }

    override func process(_ record: Record) throws(StreamFault) {
        context.time.observe(eventTimeMilliseconds: record.eventTimeMilliseconds)
        let text = record.value.map { String(decoding: $0, as: UTF8.self) } ?? ""
        if text.hasPrefix("poison") { throw .refused(Refusal("POISON", "the value \(text) is refused")) }
        counted.count()
        let key = record.key ?? Bytes(start: nil, count: 0)
        let before = try store.get(key).flatMap { Int(String(decoding: $0, as: UTF8.self)) } ?? 0
        var fault: StreamFault?
        Array(String(before + 1).utf8).withUnsafeBytes { count in
            do throws(StreamFault) { try store.put(key, count) } catch { fault = error }
        }
        if let fault { throw fault }
        buffer = Array("\(text)#\(before + 1)".utf8)
        buffer.withUnsafeBytes { bytes in
            var changed = record
            changed.value = bytes
            do throws(StreamFault) { try forward(changed) } catch { fault = error }
        }
        if let fault { throw fault }
    }
}

/// An application on an in-memory cluster, in as many processes as a test wants, with everything that must hold in the end.
class Fixture {
    static let application = "app"
    let cluster = InMemoryCluster()
    let log = RecordingLog()
    let plan: ThreadPlan
    let partitions: Int32
    final var inputCount = 0
    /// Which inputs are to end as dead letters.
    var isRefused: (String) -> Bool = { $0.hasPrefix("poison") }

    static var topology: Topology {
        Topology(application) { flow in
            flow.source("in", topics: ["in"])
                .process("count", stores: [CountingProcessor.store]) { CountingProcessor($0) }
                .to("out", SinkDefinition("out"))
        }
    }

    static func plan(_ topology: Topology = Fixture.topology) -> ThreadPlan {
        var plan = ThreadPlan(
            topology: topology,
            deadLetters: DeadLetterSettings(sink: SinkDefinition("dead"), stage: "fixture"))
        plan.commitIntervalMilliseconds = 25
        plan.commitWhenDrainedMilliseconds = 20
        plan.pollRecordsMax = 5
        return plan
    }

    init(plan: ThreadPlan = Fixture.plan(), partitions: Int32 = 2) {
        self.plan = plan
        self.partitions = partitions
        cluster.createTopic("in", partitions: partitions)
        cluster.createTopic("out", partitions: partitions)
        cluster.createTopic("dead")
        cluster.createTopic("app-counts-changelog", partitions: partitions)
    }

    /// Compacts the changelog of the topology's store.
    func compactChangelog() { cluster.compact("app-counts-changelog") }

    /// Appends records `r<n>` of a few keys to the input; every `poisonEvery`-th is refused by the topology.
    func produce(_ count: Int, keys: Int = 3, poisonEvery: Int = 7) {
        for _ in 0..<count {
            inputCount += 1
            let poison = poisonEvery > 0 && inputCount % poisonEvery == 0
            cluster.append(
                to: "in", key: "k\(inputCount % keys)", (poison ? "poison" : "r") + "\(inputCount)",
                timestampMilliseconds: 1_000_000 + Int64(inputCount))
        }
    }

    /// One process: its clients, its stores, its thread.
    final class Process {
        let faults: FaultPlan
        let client: InMemoryClient
        let stores: InMemoryStores
        let status = ThreadStatus()
        var thread: StreamThread?
        var failure: StreamFault?

        init(_ fixture: Fixture, instance: String, isStatic: Bool, faults: FaultPlan, stores: InMemoryStores) {
            self.faults = faults
            self.stores = stores
            client = fixture.cluster.client(
                application: Fixture.application, instance: instance, isStatic: isStatic, faults: faults)
        }

        func start(_ fixture: Fixture, plan: ThreadPlan? = nil) {
            failure = nil
            do throws(StreamFault) {
                thread = try StreamThread(
                    plan: plan ?? fixture.plan, number: 0, cluster: client, backends: stores,
                    clock: fixture.cluster.clock,
                    log: fixture.log, status: status)
            } catch {
                failure = error
            }
        }

        /// What it shows of the fixture's input, in which everything was read once, whatever happened.
        func miscounts(_ fixture: Fixture) -> [String] {
            thread?.publish(fully: true)
            let snapshot = status.snapshot
            let expected = fixture.expectedCounts
            var shown = snapshot.counters
            shown["read"] = snapshot.recordsRead
            shown["dead"] = snapshot.deadLetters.values.reduce(0, +)
            return expected.keys.sorted().filter { expected[$0] != shown[$0] ?? 0 }.map {
                "\($0): \(shown[$0] ?? 0) instead of \(expected[$0] ?? 0)"
            }
        }

        /// One turn; false once the thread has failed.
        @discardableResult
        func turn() -> Bool {
            guard let thread, failure == nil else { return false }
            // Work takes time: about two batches to a transaction.
            client.cluster.clock.advance(milliseconds: 10)
            do throws(StreamFault) {
                try thread.turn()
                return true
            } catch {
                failure = error
                return false
            }
        }
    }

    /// Appends one record to the input.
    func append(key: String, _ value: String) {
        inputCount += 1
        cluster.append(to: "in", key: key, value, timestampMilliseconds: 1_000_000 + Int64(inputCount))
    }

    func start(
        instance: String = "0", isStatic: Bool = false, faults: FaultPlan = FaultPlan(),
        stores: InMemoryStores? = nil
    ) -> Process {
        let process = Process(
            self, instance: instance, isStatic: isStatic, faults: faults,
            stores: stores ?? InMemoryStores(.volatile, faults: faults))
        process.start(self)
        return process
    }

    /// Three processes that join one after the other while records are read, of which the first dies; those that are left.
    func startWhilePartitionsMove(_ random: inout SeededRandom) -> [Process] {
        var processes = [start(instance: "0")]
        for step in 0..<40 {
            if step == 8 { processes.append(start(instance: "1")) }
            if step == 16 { processes.append(start(instance: "2")) }
            if step == 24 {
                let gone = processes.removeFirst()
                gone.faults.crash()
                gone.thread = nil
                cluster.endSession(application: Self.application, instance: "0")
            }
            processes.randomElement(using: &random)?.turn()
        }
        return processes
    }

    /// All that was appended is committed.
    var isThrough: Bool {
        (0..<partitions).allSatisfy { partition in
            let input = TopicPartition("in", partition)
            let end = cluster.bounds(of: input)?.end ?? 0
            return end == 0 || cluster.committed(Self.application, input)?.offset == end
        } && cluster.openTransactions.isEmpty
    }

    /// Turns the processes in turn until everything is through; false if that takes more than `turns`.
    @discardableResult
    func run(_ processes: [Process], turns: Int = 300) -> Bool {
        for _ in 0..<turns {
            if isThrough { return true }
            for process in processes where !process.turn() {
                // As a supervisor does: who could not even begin, because the broker was away, begins again.
                guard process.thread == nil, process.failure?.mayBeTriedAgain ?? false else { return false }
                process.start(self)
            }
        }
        return isThrough
    }

    // MARK: What must hold

    /// What a process shows that read everything: records, dead letters, and what the steps count.
    var expectedCounts: [String: Int] {
        let refused = cluster.records(in: "in").filter { $0.text.map(isRefused) ?? false }.count
        return ["read": inputCount, "counted": inputCount - refused, "dead": refused]
    }

    /// Everything that exactly-once promises, as a list of what is broken.
    func violations(stores: [InMemoryStores] = []) -> [String] {
        var found: [String] = []
        if !isThrough { found.append("not everything is committed; open: \(cluster.openTransactions)") }
        let inputs = cluster.records(in: "in")
        var counts: [String: Int] = [:]
        var expected: [String: [String]] = [:]
        var refused: [String] = []
        for record in inputs {
            let key = record.keyText ?? ""
            if let text = record.text, isRefused(text) {
                refused.append(text)
            } else {
                counts[key, default: 0] += 1
                expected[key, default: []].append("\(record.text ?? "")#\(counts[key] ?? 0)")
            }
        }
        var written: [String: [String]] = [:]
        for record in cluster.records(in: "out") {
            written[record.keyText ?? "", default: []].append(record.text ?? "")
        }
        if written != expected { found.append("outputs \(written) instead of \(expected)") }
        let dead = cluster.records(in: "dead").compactMap(\.text)
        if dead.count != refused.count || !refused.allSatisfy({ text in dead.contains { $0.contains("\"\(text)\"") } })
        {
            found.append("dead letters \(dead) instead of those of \(refused)")
        }
        let states = counts.mapValues(String.init)
        if changelog("app-counts-changelog") != states {
            found.append("changelog \(changelog("app-counts-changelog")) instead of \(states)")
        }
        if !stores.isEmpty {
            var entries: [String: String] = [:]
            for stores in stores {
                for partition in 0..<partitions {
                    for (key, value) in stores.entries(of: "counts", partition: partition) {
                        entries[String(decoding: key, as: UTF8.self)] = String(decoding: value, as: UTF8.self)
                    }
                }
            }
            if entries != states { found.append("stores \(entries) instead of \(states)") }
        }
        return found
    }

    /// What a changelog's committed records add up to, without its definition; keys begin with a version and a kind.
    func changelog(_ topic: String) -> [String: String] {
        var entries: [String: String] = [:]
        for record in cluster.records(in: topic) {
            guard let key = record.key, key.count >= 2, key[0] == 1, key[1] == 0 else { continue }
            entries[String(decoding: key[2...], as: UTF8.self)] = record.text
        }
        return entries
    }
}

extension StreamFault {
    var mayBeTriedAgain: Bool {
        if case .broker(let failure) = self { failure.response != .stop } else { false }
    }
}
