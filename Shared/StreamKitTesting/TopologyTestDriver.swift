public import StreamKit

/// Runs a topology without a broker: records in, records out, the clock in the test's hand.
///
///     let driver = try TopologyTestDriver(topology, partitions: ["orders": 2])
///     try driver.pipe("orders", key: "A", #"{"amount":"5.00"}"#)
///     XCTAssertEqual(driver.take("totals").map(\.text), ["5.00"])
///     try driver.advance(milliseconds: 300_000)
///     XCTAssertEqual(driver.store("sums")["A"], "5.00")
///
/// What runs is the real `StreamThread` with its transactions, changelogs and dead letters, on an `InMemoryCluster`: `pipe` returns
/// when the record, and everything it led to through repartition topics, is committed. Topics that the topology names and that
/// `partitions` does not are created with one partition. Nothing waits and nothing depends on the real time.
public final class TopologyTestDriver {
    public let cluster: InMemoryCluster
    public let stores: InMemoryStores
    public let log = RecordingLog()
    public let plan: ThreadPlan
    public private(set) var status = ThreadStatus()
    public let faults: FaultPlan
    /// The cluster as the topology's process sees it: for what runs beside the records, such as a service's watch.
    public let client: InMemoryClient
    private var thread: StreamThread?
    private var taken: [TopicPartition: Int64] = [:]

    /// A driver for a topology whose refused records go to `deadLetters`.
    public convenience init(
        _ topology: Topology, deadLetters: String = "dead-letters", partitions: [String: Int32] = [:],
        nowMilliseconds: Int64 = 1_736_782_245_000
    ) throws(StreamFault) {
        try self.init(
            ThreadPlan(
                topology: topology,
                deadLetters: DeadLetterSettings(sink: SinkDefinition(deadLetters), stage: topology.application)),
            partitions: partitions, nowMilliseconds: nowMilliseconds)
    }

    /// A driver for a whole plan. Its commit intervals are set to nothing, so that each `pipe` ends with a commit.
    public init(
        _ plan: ThreadPlan, partitions: [String: Int32] = [:], stores: InMemoryStores.Kind = .volatile,
        nowMilliseconds: Int64 = 1_736_782_245_000
    ) throws(StreamFault) {
        var plan = plan
        plan.commitIntervalMilliseconds = 0
        plan.commitWhenDrainedMilliseconds = 0
        plan.pollIdleMilliseconds = 0
        self.plan = plan
        faults = FaultPlan()
        cluster = InMemoryCluster(clock: ManualClock(nowMilliseconds: nowMilliseconds))
        self.stores = InMemoryStores(stores, faults: faults)
        client = cluster.client(application: plan.topology.application, faults: faults)
        for (topic, count) in partitions { cluster.createTopic(topic, partitions: count) }
        try createTopics()
        try start()
    }

    private func createTopics() throws(StreamFault) {
        do throws(BrokerFailure) {
            let names = TopicPlan.topics(of: plan.topology, deadLetters: plan.deadLetters.sink)
            let missing = TopicPlan(
                plan.topology, deadLetters: plan.deadLetters.sink, counts: try client.partitionCounts(of: names)
            ).missing
            for topic in missing { cluster.createTopic(topic) }
            let topics = TopicPlan(
                plan.topology, deadLetters: plan.deadLetters.sink, counts: try client.partitionCounts(of: names))
            if let fault = topics.faults.first {
                throw BrokerFailure(.stop, operation: "lay out the topics", reason: fault)
            }
            try client.createTopics(topics.toCreate)
        } catch {
            throw .broker(error)
        }
    }

    private func start() throws(StreamFault) {
        status = ThreadStatus()
        thread = try StreamThread(
            plan: plan, number: 0, cluster: client, backends: stores, clock: cluster.clock, log: log, status: status)
        try run()
    }

    // MARK: In

    /// Appends a record to an input and runs until everything that follows from it is committed. Without a partition it goes
    /// where its key belongs; without a timestamp it gets the clock's time.
    public func pipe(
        _ topic: String, key: String? = nil, _ value: String?, timestampMilliseconds: Int64? = nil,
        headers: [Header] = [], partition: Int32? = nil
    ) throws(StreamFault) {
        try pipe(
            topic, key: key.map { Array($0.utf8) }, bytes: value.map { Array($0.utf8) },
            timestampMilliseconds: timestampMilliseconds, headers: headers, partition: partition)
    }

    /// The same for keys and values that are not text.
    public func pipe(
        _ topic: String, key: [UInt8]?, bytes value: [UInt8]?, timestampMilliseconds: Int64? = nil,
        headers: [Header] = [], partition: Int32? = nil
    ) throws(StreamFault) {
        cluster.append(
            to: topic, key: key, value: value, timestampMilliseconds: timestampMilliseconds, headers: headers,
            partition: partition)
        try run()
    }

    /// Time passes, in steps of at most 100 ms of which the topology hears each, and is run after each.
    public func advance(milliseconds: Int64) throws(StreamFault) {
        let end = cluster.clock.monotonicMilliseconds + milliseconds
        // Long stretches in a thousand steps: nothing in a topology looks closer than that.
        let step = max(100, milliseconds / 1000)
        while cluster.clock.monotonicMilliseconds < end {
            cluster.clock.advance(milliseconds: min(step, end - cluster.clock.monotonicMilliseconds))
            try run()
        }
    }

    /// Turns the thread until nothing is left to do.
    public func run() throws(StreamFault) {
        guard let thread else { return }
        var quiet = 0
        while quiet < 3 {
            let committed = status.snapshot.transactionsCommitted
            let rebalances = status.snapshot.rebalances
            let took = try thread.turn()
            let snapshot = status.snapshot
            let moved =
                took > 0 || snapshot.transactionsCommitted != committed || snapshot.rebalances != rebalances
                || snapshot.state == .restoring
            quiet = moved ? 0 : quiet + 1
        }
    }

    // MARK: Out

    /// What was written to a topic since the last `take` of it: committed records, in the order of their partitions and offsets.
    public func take(_ topic: String) -> [StoredRecord] {
        let records = cluster.records(in: topic).filter { $0.offset >= taken[$0.partition] ?? 0 }
        for record in records { taken[record.partition] = record.offset + 1 }
        return records
    }

    /// The entries of a store as text, over all partitions.
    public func store(_ name: String) -> [String: String] {
        var entries: [String: String] = [:]
        for (key, value) in storeBytes(name) {
            entries[String(decoding: key, as: UTF8.self)] = String(decoding: value, as: UTF8.self)
        }
        return entries
    }

    /// The entries of a store, over all partitions.
    public func storeBytes(_ name: String) -> [[UInt8]: [UInt8]] {
        let changelog = "\(plan.topology.application)-\(name)-changelog"
        var entries: [[UInt8]: [UInt8]] = [:]
        for partition in 0..<(cluster.partitionCount(of: changelog) ?? 0) {
            entries.merge(stores.entries(of: name, partition: partition)) { first, _ in first }
        }
        return entries
    }

    /// What the steps of the topology count.
    public var counters: [String: Int] {
        thread?.publish(fully: true)
        return status.snapshot.counters
    }

    // MARK: Crash

    /// The process dies without a word and is started again: what was committed is there, nothing else.
    public func restart(losingDisk: Bool = false) throws(StreamFault) {
        faults.crash()
        thread = nil
        if losingDisk { stores.loseDisk() } else { stores.crash() }
        cluster.endSession(application: plan.topology.application)
        faults.restart()
        try start()
    }
}
