internal import Glibc
internal import Metrics
internal import StreamKit
internal import StreamKitKafka
internal import Synchronization

/// Runs a service until it is told to stop or cannot go on: topics, threads, ops server, signals.
struct ServiceRunner<Service: StreamService> {
    private let configuration: ServiceConfiguration<Service>
    private let warnings: [SettingsProblem]
    private let logger: Logger
    private let clock = SystemClock()

    init(_ configuration: ServiceConfiguration<Service>, warnings: [SettingsProblem]) {
        self.configuration = configuration
        self.warnings = warnings
        let runtime = configuration.runtime
        logger = Logger(
            level: runtime.logLevel, format: runtime.logFormat, isColored: Surroundings.process.isTerminal
        ).with(["service": .text(Service.name), "application": .text(runtime.application)])
    }

    func run() -> ExitCode {
        MemoryAllocator.tune()
        let runtime = configuration.runtime
        let stop = StopRequest()
        do {
            let signals = try StopSignals { name in
                logger.info("stopping", ["signal": .text(name)])
                stop.request()
                StopDeadline.enforce(logger)
            }
            defer { withExtendedLifetime(signals) {} }
            let state = try StateDirectory(path: runtime.stateDirectory, application: runtime.application)
            defer { withExtendedLifetime(state) {} }
            let statuses = (0..<configuration.processing.threads).map { _ in ThreadStatus() }
            let lagProbe = LagProbe()
            let ops = try startOps(statuses, lagProbe)
            defer { ops.stop() }
            let clients = ServiceClients(configuration.runtime, configuration.processing, state, logger)
            logger.info(
                "started",
                [
                    "version": .text(StreamKitVersion.text), "instance": .text(clients.instance),
                    "ops": .text("\(ops.address)"), "allocator": .text(MemoryAllocator.description),
                ])
            for warning in warnings {
                logger.warn(
                    "doubtful setting",
                    [
                        "place": .text("\(warning.mark)"), "setting": .text(warning.keyPath),
                        "reason": .text(warning.message),
                    ])
            }
            clients.warnOfOldLibrary()
            let cluster = try clients.makeCluster()
            let backends = try clients.makeBackends()
            guard try prepareTopics(cluster, stop) else { return .drained }
            let isReady = SharedFlag()
            guard let background = startBackground(stop, isReady, statuses, lagProbe, cluster) else { return .failed }
            defer { background.join() }
            while !isReady.isRaised && !stop.isRequested { clock.pause(milliseconds: 5) }
            return runThreads(statuses, cluster, backends, stop)
        } catch {
            logger.error("cannot start", ["error": .text("\(error)")])
            return .failed
        }
    }

    private func startOps(_ statuses: [ThreadStatus], _ lagProbe: LagProbe) throws -> OpsServer {
        let registry = MetricsRegistry(constantLabels: [
            "service": Service.name, "application": configuration.runtime.application,
        ])
        try ProcessMetrics.register(in: registry)
        RuntimeMetrics.register(in: registry, statuses: statuses, lagProbe: lagProbe, clock: clock)
        let health = ServiceHealth(statuses: statuses, clock: clock)
        let topology = configuration.topology
        let deadLetters = configuration.deadLetters.sink.topic
        return try OpsServer(
            address: configuration.runtime.opsAddress,
            title: "\(Service.name) \(StreamKitVersion.text), application \(configuration.runtime.application)",
            sources: OpsSources(
                liveness: { health.liveness }, readiness: { health.readiness },
                topology: { topology.text($0, deadLetters: deadLetters) }, metrics: registry))
    }

    /// Waits for the topics that somebody else creates, and creates the rest. False if told to stop meanwhile.
    private func prepareTopics(_ cluster: any Cluster, _ stop: StopRequest) throws -> Bool {
        let topology = configuration.topology
        let deadLetters = configuration.deadLetters.sink
        var told: Set<String> = []
        while !stop.isRequested {
            do throws(BrokerFailure) {
                let counts = try cluster.partitionCounts(of: TopicPlan.topics(of: topology, deadLetters: deadLetters))
                let plan = TopicPlan(topology, deadLetters: deadLetters, counts: counts)
                if !plan.faults.isEmpty { throw TopicsUnusable(faults: plan.faults).failure }
                if !plan.toCreate.isEmpty {
                    try cluster.createTopics(plan.toCreate)
                    for topic in plan.toCreate { logger.info("topic created", ["kafka.topic": .text(topic.name)]) }
                    continue
                }
                if plan.missing.isEmpty { return true }
                for topic in plan.missing where told.insert(topic).inserted {
                    logger.warn("waiting for a topic that does not exist", ["kafka.topic": .text(topic)])
                }
            } catch {
                if error.response == .stop { throw error }
                logger.repeated(.warn, "waiting for the broker", ["error": .text("\(error)")])
            }
            clock.pause(milliseconds: 250)
        }
        return false
    }

    /// Looks after what is beside the records, until the end: what the service itself keeps up to date, several times a second,
    /// and where the inputs end, every two seconds. Raises the flag once records may be read.
    private func startBackground(
        _ stop: StopRequest, _ isReady: SharedFlag, _ statuses: [ThreadStatus], _ lagProbe: LagProbe,
        _ cluster: KafkaCluster
    ) -> PosixThread? {
        let makeWatch = configuration.service.makeWatch()
        let logger = logger
        let clock = clock
        let thread = PosixThread {
            let watch = makeWatch?()
            var turns = 0
            while !stop.isRequested {
                if watch?.look(cluster, logger) ?? true { isReady.raise() }
                clock.pause(milliseconds: isReady.isRaised ? 200 : 20)
                turns += 1
                if turns % 10 == 0 { lagProbe.look(statuses, cluster) }
            }
            watch?.close()
        }
        if thread == nil {
            logger.error("the system gives no thread for the work beside the records")
        }
        return thread
    }

    private func runThreads(
        _ statuses: [ThreadStatus], _ cluster: any Cluster, _ backends: any StoreBackendFactory, _ stop: StopRequest
    ) -> ExitCode {
        stop.onRequest { for status in statuses { status.requestStop() } }
        let plan = configuration.plan
        let logger = logger
        let clock = clock
        let failed = SharedFlag()
        let threads = statuses.enumerated().compactMap { number, status in
            PosixThread {
                let log = logger.with(["stream.thread": .integer(number)])
                if !Self.runThread(number, plan, status, cluster, backends, clock, log) {
                    failed.raise()
                    // The others commit what they have: a service with a thread missing would leave partitions to nobody.
                    stop.request()
                }
            }
        }
        if threads.count < statuses.count {
            logger.error("the system gives no more threads", ["threads": .integer(threads.count)])
            failed.raise()
            stop.request()
        }
        for thread in threads { thread.join() }
        logger.info("stopped", ["failed": .boolean(failed.isRaised)])
        return failed.isRaised ? .failed : .drained
    }

    /// Runs a stream thread, and makes a new one after what a new one mends. False if it cannot go on.
    private static func runThread(
        _ number: Int, _ plan: ThreadPlan, _ status: ThreadStatus, _ cluster: any Cluster,
        _ backends: any StoreBackendFactory, _ clock: SystemClock, _ log: Logger
    ) -> Bool {
        // Two programs with one INSTANCE_ID would fence each other for ever.
        var restarts = AttemptLimit(20, withinMilliseconds: 600_000)
        while !status.isStopRequested {
            do throws(StreamFault) {
                let thread = try StreamThread(
                    plan: plan, number: number, cluster: cluster, backends: backends, clock: clock,
                    log: RuntimeLogger(logger: log), status: status)
                try thread.run()
                return true
            } catch {
                guard case .broker(let failure) = error, failure.response != .stop else {
                    log.error("stream thread failed", ["error": .text(error.text)])
                    return false
                }
                // Waiting for a broker is no reason to give up.
                if failure.response == .recreate, !restarts.allowsAnother(now: clock.monotonicMilliseconds) {
                    log.error("stream thread failed too often", ["error": .text(error.text)])
                    return false
                }
                log.repeated(.warn, "stream thread begins anew", ["error": .text(error.text)])
                clock.pause(milliseconds: 500)
            }
        }
        return true
    }
}

/// A broker that does not answer holds a client's calls for longer than whoever stops a service waits.
private enum StopDeadline {
    /// Supervisors commonly kill after ten seconds, and then nobody hears why.
    private static let milliseconds: Int64 = 9_000

    /// Ends the process if it has not ended by itself until then, as a crash would: nothing is lost by it.
    static func enforce(_ logger: Logger) {
        do throws(SystemError) {
            try BackgroundThread.start(name: "stop deadline") {
                SystemClock().pause(milliseconds: milliseconds)
                logger.error(
                    "did not stop in time: ending at once, and the next start settles what is open",
                    ["waited.ms": .milliseconds(.milliseconds(milliseconds))])
                _exit(ExitCode.failed.rawValue)
            }
        } catch {
            logger.warn("nobody watches over the end", ["error": .text("\(error)")])
        }
    }
}

private struct TopicsUnusable {
    let faults: [String]
    var failure: BrokerFailure {
        BrokerFailure(.stop, operation: "use the topics", reason: faults.joined(separator: "; "))
    }
}

/// A flag that threads raise.
final class SharedFlag: Sendable {
    private let value = Atomic<Bool>(false)
    var isRaised: Bool { value.load(ordering: .relaxed) }
    func raise() { value.store(true, ordering: .relaxed) }
}

/// Somebody wants the service to end: a signal, or a thread that failed.
final class StopRequest: Sendable {
    private let flag = SharedFlag()
    private let action = Mutex<(@Sendable () -> Void)?>(nil)

    var isRequested: Bool { flag.isRaised }

    func request() {
        flag.raise()
        action.withLock { $0 }?()
    }

    /// What to do then, at once if it is then already.
    func onRequest(_ body: @escaping @Sendable () -> Void) {
        action.withLock { $0 = body }
        if isRequested { body() }
    }
}
