internal import CLinux
internal import Glibc
internal import Synchronization

/// A broker in this process, on a thread of its own: one node that speaks Kafka's protocol, for laptops and tests.
/// Production runs on Apache Kafka.
public final class EmbeddedBroker: Sendable {
    /// The port it listens on.
    public let port: UInt16
    /// The address it listens on.
    public let host: String
    /// What clients are given as `bootstrap.servers`.
    public var bootstrapServers: String { "\(host):\(port)" }

    private let stopSignal: Int32
    private let thread: Mutex<pthread_t?>

    /// Starts a broker; it listens when this returns. If its disk fails later, so that what it acknowledged may not be safe,
    /// the process ends.
    /// - Throws: `BrokerStartError` if the configuration is not valid, the port is taken or the data cannot be read.
    public init(_ configuration: BrokerConfiguration) throws(BrokerStartError) {
        try configuration.validate()
        raiseDescriptorLimit()
        let listener = try ListeningSocket(address: configuration.listenAddress, port: configuration.port)
        port = listener.port
        host = configuration.listenAddress
        let stopSignal = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard stopSignal >= 0 else { throw BrokerStartError("cannot create an event descriptor") }
        self.stopSignal = stopSignal
        do throws(StorageError) {
            var seed: UInt64 = 0
            guard getrandom(&seed, 8, 0) == 8 else { throw .system("cannot read randomness") }
            let core = try BrokerCore(
                configuration: configuration, host: configuration.advertisedHost ?? configuration.listenAddress,
                port: listener.port, seed: seed, now: .current())
            let loop = try EventLoop(
                core: core, listener: listener, stopSignal: stopSignal, configuration: configuration)
            thread = Mutex(try startThread { loop.run() })
        } catch {
            _ = close(stopSignal)
            throw BrokerStartError(error.description)
        }
    }

    deinit {
        stop()
        _ = close(stopSignal)
    }

    /// Closes every connection and ends the thread; returns when that is done. A second call does nothing.
    public func stop() {
        let running = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        guard let running else { return }
        var one: UInt64 = 1
        _ = write(stopSignal, &one, 8)
        pthread_join(running, nil)
    }
}

/// Why a broker did not start, and what to do about it.
public struct BrokerStartError: Error, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}

extension BrokerConfiguration {
    fileprivate func validate() throws(BrokerStartError) {
        var problems: [String] = []
        let isLoopback = listenAddress.hasPrefix("127.")
        if !isLoopback && !allowsRemoteClients {
            problems.append(
                "address \(listenAddress) can be reached from other machines, and this broker has no authentication: "
                    + "allow remote clients explicitly, or listen on 127.0.0.1")
        }
        if listenAddress == "0.0.0.0" && advertisedHost == nil {
            problems.append("listening on every address needs an advertised host that clients can connect to")
        }
        for topic in topics {
            if !TopicRules.isValidName(topic.name) {
                problems.append("topic name '\(topic.name)' is not 1 to 249 of the characters a-z A-Z 0-9 . _ -")
            }
            if !(1...TopicRules.maximumPartitions).contains(topic.partitions) {
                problems.append("topic '\(topic.name)' needs 1 to \(TopicRules.maximumPartitions) partitions")
            }
        }
        let defaults = [automaticTopicPartitions ?? 1, defaultPartitions]
        if !defaults.allSatisfy((1...TopicRules.maximumPartitions).contains) {
            problems.append("the number of partitions of new topics is 1 to \(TopicRules.maximumPartitions)")
        }
        if minimumSessionTimeoutMilliseconds > maximumSessionTimeoutMilliseconds {
            problems.append("the minimum session time-out exceeds the maximum")
        }
        if maximumTransactionTimeoutMilliseconds < 1 { problems.append("the transaction time-out must be positive") }
        if retentionIntervalMilliseconds < 1 { problems.append("the interval of retention checks must be positive") }
        if initialRebalanceDelayMilliseconds < 0 { problems.append("the rebalance delay cannot be negative") }
        if maximumRequestBytes < 1024 { problems.append("requests need at least 1024 bytes") }
        if !problems.isEmpty { throw BrokerStartError(problems.joined(separator: "\n")) }
    }
}

extension Moment {
    /// The time of the system's clocks.
    static func current() -> Moment {
        func read(_ clock: clockid_t) -> Int64 {
            var time = timespec()
            clock_gettime(clock, &time)
            return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
        }
        return Moment(wallMilliseconds: read(CLOCK_REALTIME), steadyMilliseconds: read(CLOCK_MONOTONIC))
    }
}

/// Connections and segments each need a descriptor: takes as many as the system allows this process.
private func raiseDescriptorLimit() {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = limit.rlim_max
    _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}

private final class ThreadStart {
    let run: () -> Void

    init(_ run: @escaping () -> Void) { self.run = run }
}

/// Runs `body` on a new thread; what it captures belongs to that thread from then on.
private func startThread(_ body: @escaping () -> Void) throws(StorageError) -> pthread_t {
    var thread = pthread_t()
    let start = Unmanaged.passRetained(ThreadStart(body))
    let result = pthread_create(
        &thread, nil,
        { context in
            if let context { Unmanaged<ThreadStart>.fromOpaque(context).takeRetainedValue().run() }
            return nil
        }, start.toOpaque())
    guard result == 0 else {
        start.release()
        throw StorageError("cannot start a thread: error \(result)")
    }
    return thread
}
