import Foundation
import XCTest
import TestSupport

/// What is done to the pipeline, the same on every broker. Afterwards the oracle looks at what is there.
struct Scenarios {
    let broker: any Broker
    let seed: UInt64

    // MARK: Without faults

    /// The sample that the repository carries, through one partition: everything is known, to the single alert.
    func sample() throws {
        let pipeline = try OrderPipeline(on: broker, partitions: 1)
        defer { pipeline.stop() }
        for service in OrderPipeline.services + [OrderPipeline.forwarder] { try pipeline.start(service) }
        try pipeline.loadSample("orders.tsv", to: pipeline.topic(.raw))
        try pipeline.loadSample("change-events.tsv", to: pipeline.changeTopic)
        let tally = try verify(pipeline, isSequential: true, forwards: true)
        XCTAssertGreaterThan(tally.forwarded, 250)
        XCTAssertEqual(tally.raw, 2_218 + tally.forwarded)
        for type in ["MALFORMED_JSON", "SCHEMA_VIOLATION", "BUSINESS_RULE_VIOLATION", "DUPLICATE", "LATE"] {
            XCTAssertGreaterThan(tally.lettersByType[type] ?? 0, 0, "no \(type)")
        }
        for type in ["ORDER_SPIKE", "RAPID_ORDERS", "HIGH_ORDER_VOLUME", "LARGE_ORDER", "STATISTICAL_OUTLIER"] {
            XCTAssertGreaterThan(tally.alertsByType[type] ?? 0, 0, "no \(type)")
        }
        for service in OrderPipeline.services { try pipeline.terminate(service) }
    }

    /// Values as large as a broker takes, of bytes that grow when they are quoted, among good orders.
    func poison() throws {
        // The broker itself refuses what is larger, in the middle of a transaction.
        let pipeline = try OrderPipeline(on: broker, processedBytesMax: 300_000)
        defer { pipeline.stop() }
        var generator = OrderGenerator(seed: seed)
        for service in OrderPipeline.services { try pipeline.start(service) }
        try pipeline.load(300, of: &generator)
        func order(_ number: Int, bytes: Int, year: Int = 2025, amount: String = "1.00") -> [UInt8] {
            let start =
                #"{"order_id":"BIG-\#(number)","customer_id":"CUST-US-1","amount":"\#(amount)","currency":"USD","status":"shipped","#
                + #""timestamp":"\#(year)-01-13T15:00:00Z","items_count":1,"note":""#
            return [UInt8](start.utf8) + [UInt8](repeating: 0x78, count: bytes - start.utf8.count - 2) + [0x22, 0x7D]
        }
        let large = 990_000
        try pipeline.load(values: [
            (nil, [UInt8](repeating: 0xFF, count: large)),
            (nil, [UInt8](repeating: 0x00, count: large)),
            (nil, [UInt8](repeating: 0x22, count: large)),
            (nil, [UInt8](repeating: UInt8(ascii: "["), count: large)),
            (nil, [0x22] + [UInt8](String(repeating: "é", count: large / 2).utf8)),
            ([UInt8](repeating: 0xFE, count: 600_000), [UInt8]("{".utf8)),
            // Good orders: one that gets through all stages, one that the last topic does not take, and one that the enricher
            // makes larger than a record may be.
            (nil, order(1, bytes: 250_000)), (nil, order(2, bytes: 600_000)), (nil, order(3, bytes: 999_850)),
            // Brokers take no timestamps of the future; the alert of such an order has to come out all the same.
            (nil, order(4, bytes: 300, year: 2099, amount: "5000.00")),
            (nil, [UInt8]("{\"order_id\":\"N\",\"amount\":1\(String(repeating: "0", count: 400_000))}".utf8)),
        ])
        try pipeline.load(300, of: &generator)
        let tally = try finish(pipeline, &generator, processedBytesMax: 300_000)
        XCTAssertEqual(tally.lettersByType["OUTPUT_REFUSED"], 2)
        for service in OrderPipeline.services { try pipeline.terminate(service) }
    }

    // MARK: Services killed

    /// SIGKILL of one service after the other at instants drawn by the seed, while orders come in.
    func killedServices(orders: Int, kills: Int, settings: [String] = []) throws {
        let pipeline = try OrderPipeline(on: broker, settings: settings)
        defer { pipeline.stop() }
        for service in OrderPipeline.services { try pipeline.start(service) }
        var (random, generator) = (SeededRandom(seed: seed), OrderGenerator(seed: seed))
        for round in 0..<kills {
            try pipeline.load(orders / kills, of: &generator)
            let service = random.pick(OrderPipeline.services)
            usleep(UInt32.random(in: 0..<600_000, using: &random))
            try pipeline.kill(service)
            // Sometimes it stays away until the next one dies, and further ones gather.
            if !random.chance(percent: 25) || round == kills - 1 { try pipeline.start(service) }
            try revive(pipeline, but: round == kills - 1 ? nil : service)
        }
        try finish(pipeline, &generator)
    }

    private func revive(_ pipeline: OrderPipeline, but dead: String?) throws {
        for service in OrderPipeline.services where service != dead {
            if try !pipeline.process(service).isRunning { try pipeline.start(service) }
        }
    }

    /// Killed again and again as soon as it is back: a start that is cut short harms nothing.
    func killedWhileStarting() throws {
        let pipeline = try OrderPipeline(on: broker)
        defer { pipeline.stop() }
        var (random, generator) = (SeededRandom(seed: seed), OrderGenerator(seed: seed))
        for service in OrderPipeline.services { try pipeline.start(service) }
        try pipeline.load(1_500, of: &generator)
        for _ in 0..<6 {
            for service in ["deduplicator", "aggregator"] {
                try pipeline.kill(service)
                try pipeline.start(service)
            }
            usleep(UInt32.random(in: 0..<700_000, using: &random))
            try pipeline.load(150, of: &generator)
        }
        try finish(pipeline, &generator)
    }

    // MARK: Zombies

    /// SIGSTOP beyond session and transaction time-outs while another instance takes over; then the first wakes.
    func pausedInstances() throws {
        let pipeline = try OrderPipeline(on: broker)
        defer { pipeline.stop() }
        var generator = OrderGenerator(seed: seed)
        for service in OrderPipeline.services {
            try pipeline.start(service, instance: "1")
            try pipeline.start(service, instance: "2")
        }
        try pipeline.load(2_000, of: &generator)
        for service in ["validator", "deduplicator", "aggregator"] {
            try pipeline.process(service, instance: "1").signal(SIGSTOP)
        }
        try pipeline.load(1_000, of: &generator)
        // Longer than the session (3 s) and the transaction (6 s) may last.
        Thread.sleep(forTimeInterval: 8)
        try pipeline.load(1_000, of: &generator)
        for service in ["validator", "deduplicator", "aggregator"] {
            try pipeline.process(service, instance: "1").signal(SIGCONT)
        }
        try pipeline.load(1_000, of: &generator)
        try finish(pipeline, &generator)
    }

    // MARK: Instances that come and go

    /// Second and third instances join and leave under load, some as static members and some as dynamic ones.
    func joiningAndLeaving(settings: [String] = []) throws {
        let pipeline = try OrderPipeline(on: broker, settings: settings)
        defer { pipeline.stop() }
        var (random, generator) = (SeededRandom(seed: seed), OrderGenerator(seed: seed))
        generator.isKeyed = false
        for service in OrderPipeline.services { try pipeline.start(service) }
        let movers = ["validator", "deduplicator", "aggregator", "anomaly-detector"]
        var guests: [(service: String, instance: String)] = []
        for round in 0..<8 {
            try pipeline.load(500, of: &generator)
            if guests.count < 3, random.chance(percent: 60) || guests.isEmpty {
                let guest = (random.pick(movers), "guest-\(round)")
                try pipeline.start(guest.0, instance: guest.1, isStatic: random.chance(percent: 50))
                guests.append(guest)
            } else {
                let guest = guests.remove(at: Int.random(in: 0..<guests.count, using: &random))
                try pipeline.terminate(guest.service, instance: guest.instance)
            }
            usleep(UInt32.random(in: 200_000..<1_200_000, using: &random))
        }
        try finish(pipeline, &generator)
    }

    /// Two programs with one INSTANCE_ID: each fences the other, again and again, until one of them gives up.
    func sameInstanceTwice() throws {
        let pipeline = try OrderPipeline(on: broker)
        defer { pipeline.stop() }
        var generator = OrderGenerator(seed: seed)
        for service in OrderPipeline.services { try pipeline.start(service) }
        try pipeline.load(500, of: &generator)
        try pipeline.start("deduplicator", instance: "1", as: "impostor")
        let (first, second) = (
            try pipeline.process("deduplicator"), try pipeline.process("deduplicator", instance: "impostor")
        )
        let deadline = Date() + 120
        while first.isRunning && second.isRunning {
            if Date() > deadline {
                throw HarnessError("both go on for two minutes:\n\(pipeline.logs(of: "deduplicator"))")
            }
            try pipeline.load(20, of: &generator)
            usleep(100_000)
        }
        let loser = try pipeline.forgetEnded("deduplicator")
        XCTAssertTrue(loser.contains("exit code 1"), loser)
        XCTAssertTrue(loser.contains("failed too often") || loser.contains("the same INSTANCE_ID"), loser)
        try pipeline.load(500, of: &generator)
        try finish(pipeline, &generator)
    }

    // MARK: The broker, the disk

    /// The broker dies in the middle of transactions, and comes back.
    func killedBroker(times: Int, orders: Int) throws {
        let pipeline = try OrderPipeline(on: broker)
        defer { pipeline.stop() }
        var (random, generator) = (SeededRandom(seed: seed), OrderGenerator(seed: seed))
        for service in OrderPipeline.services { try pipeline.start(service) }
        for _ in 0..<times {
            try pipeline.load(orders / times, of: &generator)
            usleep(UInt32.random(in: 0..<500_000, using: &random))
            broker.kill()
            usleep(UInt32.random(in: 200_000..<1_500_000, using: &random))
            try broker.restart()
        }
        try pipeline.load(500, of: &generator)
        try finish(pipeline, &generator)
    }

    /// State on disk: kept over a SIGKILL, built again where the folder was deleted.
    func deletedState() throws {
        let pipeline = try OrderPipeline(on: broker, settings: [])
        defer { pipeline.stop() }
        var generator = OrderGenerator(seed: seed)
        let stateful = ["deduplicator", "aggregator", "anomaly-detector"]
        for service in OrderPipeline.services {
            try pipeline.start(service, settings: stateful.contains(service) ? ["store=rocksdb"] : [])
        }
        for round in 0..<2 {
            try pipeline.load(1_500, of: &generator)
            usleep(700_000)
            for service in stateful {
                try pipeline.kill(service)
                if round == 1 {
                    try FileManager.default.removeItem(at: pipeline.stateFolder(service, instance: "1"))
                }
                try pipeline.start(service, settings: ["store=rocksdb"])
            }
        }
        try pipeline.load(1_500, of: &generator)
        try finish(pipeline, &generator)
    }

    // MARK: All of it, for long

    /// Orders, and a kill after each part of them: mostly of a service's instance, of the broker at every tenth. Between them
    /// instances are paused beyond their session, restarted in good order, and lose their disks. One line a fault tells how far
    /// it is.
    func soak(orders: Int, kills: Int) throws {
        try unlessBrokerIsToBlame {
            let pipeline = try OrderPipeline(on: broker)
            defer { pipeline.stop() }
            var (random, generator) = (SeededRandom(seed: seed), OrderGenerator(seed: seed))
            generator.spread(orders)
            let stateful = ["deduplicator", "aggregator", "anomaly-detector"]
            let backends = Dictionary(
                uniqueKeysWithValues: stateful.map { ($0, ["store=\(random.pick(["memory", "rocksdb"]))"]) })
            for service in OrderPipeline.services {
                for instance in ["1", "2"] {
                    try pipeline.start(service, instance: instance, settings: backends[service] ?? [])
                }
            }
            for kill in 1...kills {
                func tell(_ fault: String) { say("soak: kill \(kill) of \(kills): \(fault)") }
                try pipeline.load(orders / kills, of: &generator)
                usleep(UInt32.random(in: 0..<2_000_000, using: &random))
                if kill % 10 == 0 {
                    broker.kill()
                    usleep(UInt32.random(in: 0..<3_000_000, using: &random))
                    try broker.restart()
                    tell("the broker")
                } else {
                    let (service, instance) = (random.pick(OrderPipeline.services), random.pick(["1", "2"]))
                    try pipeline.kill(service, instance: instance)
                    let losesDisk = random.chance(percent: 10)
                    if losesDisk {
                        try? FileManager.default.removeItem(at: pipeline.stateFolder(service, instance: instance))
                    }
                    if random.chance(percent: 40) { usleep(UInt32.random(in: 0..<5_000_000, using: &random)) }
                    try pipeline.start(service, instance: instance, settings: backends[service] ?? [])
                    tell("\(service) \(instance)\(losesDisk ? ", and its disk" : "")")
                }
                let (service, instance) = (random.pick(OrderPipeline.services), random.pick(["1", "2"]))
                switch Int.random(in: 0..<8, using: &random) {
                case 0:
                    try pipeline.process(service, instance: instance).signal(SIGSTOP)
                    Thread.sleep(forTimeInterval: Double.random(in: 1..<9, using: &random))
                    try pipeline.process(service, instance: instance).signal(SIGCONT)
                    tell("besides, \(service) \(instance) paused")
                case 1:
                    try pipeline.terminate(service, instance: instance)
                    usleep(UInt32.random(in: 0..<1_000_000, using: &random))
                    try pipeline.start(service, instance: instance, settings: backends[service] ?? [])
                    tell("besides, \(service) \(instance) restarted")
                default: break
                }
                try pipeline.checkRunning()
            }
            try finish(pipeline, &generator, within: 900)
        }
    }

    // MARK: The end of each

    @discardableResult
    private func finish(
        _ pipeline: OrderPipeline, _ generator: inout OrderGenerator, within seconds: Double = 120,
        processedBytesMax: Int64 = 1_000_000
    ) throws -> PipelineOracle.Tally {
        try pipeline.close(&generator)
        let tally = try verify(pipeline, within: seconds, processedBytesMax: processedBytesMax)
        XCTAssertGreaterThan(tally.processed, tally.raw * 8 / 10)
        XCTAssertGreaterThan(tally.windows, Int(generator.eventTimeMilliseconds / 300_000))
        return tally
    }

    @discardableResult
    private func verify(
        _ pipeline: OrderPipeline, isSequential: Bool = false, forwards: Bool = false, within seconds: Double = 120,
        processedBytesMax: Int64 = 1_000_000
    ) throws -> PipelineOracle.Tally {
        let contents = try unlessBrokerIsToBlame { try pipeline.drain(forwards: forwards, within: seconds) }
        var oracle = PipelineOracle(
            contents, options: .init(isSequential: isSequential, processedBytesMax: processedBytesMax))
        oracle.check()
        let tally = oracle.tally
        say(
            "end to end: \(tally.raw) raw, \(tally.processed) processed, letters \(tally.lettersByType.sorted { $0.key < $1.key }), "
                + "\(tally.windows) windows, alerts \(tally.alertsByType.sorted { $0.key < $1.key })")
        if oracle.findings.count > 0 {
            try skipIfBrokerIsToBlame("\(oracle.findings.count) findings")
            XCTFail(
                "SEED=\(seed): \(oracle.findings.count) findings\n\(oracle.findings.text)\nlogs: \(pipeline.keepFolder())"
            )
        }
        return tally
    }

    private func unlessBrokerIsToBlame<Result>(_ body: () throws -> Result) throws -> Result {
        do { return try body() } catch {
            if !(error is XCTSkip) { try skipIfBrokerIsToBlame("\(error)") }
            throw error
        }
    }

    /// A run on which the broker itself broke its promises proves nothing, neither way; it says so.
    private func skipIfBrokerIsToBlame(_ outcome: String) throws {
        guard let fault = broker.ownFault else { return }
        say("LEFT OUT: \(outcome), but \(fault)")
        throw XCTSkip(fault)
    }
}
