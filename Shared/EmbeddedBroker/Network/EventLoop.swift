import CLinux
import Glibc

/// Moves bytes between sockets and the core, on one thread.
final class EventLoop {
    private let core: BrokerCore
    private let listener: ListeningSocket
    private let stopSignal: Int32
    private let configuration: BrokerConfiguration
    private let epoll: Int32
    private let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
    private var connections: [UInt64: Connection] = [:]
    private var nextConnection = firstConnection
    /// Connections whose next request may be handed to the core.
    private var ready: [Connection] = []
    private var now = Moment.current()
    private var isAccepting = false
    private var nextSweep: Int64

    private static let listenerToken: UInt64 = 0
    private static let stopToken: UInt64 = 1
    private static let firstConnection: UInt64 = 2
    private static let sweepMilliseconds: Int64 = 30_000
    /// A connection that moves no byte for so long is closed (connections.max.idle.ms).
    private static let idleMilliseconds: Int64 = 600_000
    /// What a client may send ahead while its request is being answered; after it the socket is left full.
    private static let readAheadBytes = 256 << 10

    init(
        core: BrokerCore, listener: ListeningSocket, stopSignal: Int32, configuration: BrokerConfiguration
    ) throws(StorageError) {
        self.core = core
        self.listener = listener
        self.stopSignal = stopSignal
        self.configuration = configuration
        nextSweep = now.steadyMilliseconds + Self.sweepMilliseconds
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard epoll >= 0 else { throw .system("cannot create an epoll descriptor") }
        watch(stopSignal, Self.stopToken, EPOLLIN.rawValue, EPOLL_CTL_ADD)
        resumeAccepting()
    }

    deinit {
        scratch.deallocate()
        _ = close(epoll)
    }

    private func watch(_ descriptor: Int32, _ token: UInt64, _ events: UInt32, _ operation: Int32) {
        var event = epoll_event(events: events, data: epoll_data_t(u64: token))
        _ = epoll_ctl(epoll, operation, descriptor, &event)
    }

    // MARK: - The loop

    func run() {
        // sendfile has no flag to keep a vanished client from raising this signal.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        let capacity = 256
        let events = UnsafeMutablePointer<epoll_event>.allocate(capacity: capacity)
        defer { events.deallocate() }
        while true {
            let count = epoll_wait(epoll, events, Int32(capacity), timeout)
            now = .current()
            core.advance(to: now)
            for index in 0..<Int(max(0, count)) {
                switch events[index].data.u64 {
                case Self.stopToken: return
                case Self.listenerToken: acceptConnections()
                case let token:
                    if let connection = connections[token] { handle(connection, events[index].events) }
                }
            }
            settle()
            if now.steadyMilliseconds >= nextSweep { sweep() }
        }
    }

    private var timeout: Int32 {
        var deadline = nextSweep
        if let next = core.nextDeadlineMilliseconds { deadline = min(deadline, next) }
        return Int32(clamping: max(0, deadline - Moment.current().steadyMilliseconds))
    }

    /// Carries out what the core wants and hands it further requests, until nothing is left to do now.
    private func settle() {
        while true {
            do throws(StorageError) {
                for action in try core.takeActions() { perform(action) }
            } catch {
                // What cannot be made safe must not be acknowledged: the process ends, and the journal decides.
                reportError("storage failed: \(error)")
                exit(1)
            }
            if ready.isEmpty { return }
            let turn = ready
            ready = []
            for connection in turn where connections[connection.id.rawValue] != nil { handNext(connection) }
        }
    }

    private func perform(_ action: BrokerAction) {
        switch action {
        case .send(let id, let response):
            guard let connection = connections[id.rawValue] else { return }
            connection.begin(response)
            flush(connection)
        case .done(let id):
            guard let connection = connections[id.rawValue] else { return }
            connection.isBusy = false
            ready.append(connection)
        case .close(let id, let reason):
            guard let connection = connections[id.rawValue] else { return }
            reportError("closing a connection: \(reason)")
            drop(connection)
        }
    }

    // MARK: - Connections

    private func acceptConnections() {
        while true {
            switch listener.accept() {
            case .none: return
            case .exhausted:
                // Without this the loop would spin on a connection it cannot take.
                watch(listener.descriptor, Self.listenerToken, 0, EPOLL_CTL_DEL)
                isAccepting = false
                nextSweep = min(nextSweep, now.steadyMilliseconds + 1_000)
                return
            case .connection(let descriptor, let host):
                let id = ConnectionID(nextConnection)
                nextConnection += 1
                let connection = Connection(
                    id: id, descriptor: descriptor, maximumRequestBytes: configuration.maximumRequestBytes,
                    now: now.steadyMilliseconds)
                connections[id.rawValue] = connection
                connection.watchedEvents = EPOLLIN.rawValue
                watch(descriptor, id.rawValue, connection.watchedEvents, EPOLL_CTL_ADD)
                core.open(id, clientHost: host)
            }
        }
    }

    private func resumeAccepting() {
        guard !isAccepting else { return }
        isAccepting = true
        watch(listener.descriptor, Self.listenerToken, EPOLLIN.rawValue, EPOLL_CTL_ADD)
    }

    private func handle(_ connection: Connection, _ events: UInt32) {
        if events & EPOLLOUT.rawValue != 0 { flush(connection) }
        guard connections[connection.id.rawValue] != nil else { return }
        if events & (EPOLLIN.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 { receive(connection) }
    }

    private func receive(_ connection: Connection) {
        connection.lastProgressMilliseconds = now.steadyMilliseconds
        do throws(Connection.Failure) {
            try connection.receive(scratch: scratch) { request in
                connection.isBusy = true
                core.receive(request, from: connection.id)
            }
        } catch {
            return drop(connection, error)
        }
        if !connection.isBusy { ready.append(connection) }
        updateWatch(connection)
    }

    private func handNext(_ connection: Connection) {
        guard !connection.isBusy else { return }
        do throws(Connection.Failure) {
            _ = try connection.takeRequest { request in
                connection.isBusy = true
                core.receive(request, from: connection.id)
            }
        } catch {
            return drop(connection, error)
        }
        updateWatch(connection)
    }

    private func flush(_ connection: Connection) {
        connection.lastProgressMilliseconds = now.steadyMilliseconds
        do throws(Connection.Failure) {
            if try connection.flush(), connection.isBusy {
                connection.isBusy = false
                ready.append(connection)
            }
        } catch {
            return drop(connection, error)
        }
        updateWatch(connection)
    }

    private func updateWatch(_ connection: Connection) {
        var events: UInt32 = 0
        if connection.hasOutput { events |= EPOLLOUT.rawValue }
        if !(connection.isBusy && connection.bufferedBytes >= Self.readAheadBytes) { events |= EPOLLIN.rawValue }
        guard events != connection.watchedEvents else { return }
        connection.watchedEvents = events
        watch(connection.descriptor, connection.id.rawValue, events, EPOLL_CTL_MOD)
    }

    private func drop(_ connection: Connection, _ failure: Connection.Failure = .closed) {
        if case .refused(let what) = failure { reportError("closing a connection: \(what)") }
        guard connections.removeValue(forKey: connection.id.rawValue) != nil else { return }
        watch(connection.descriptor, connection.id.rawValue, 0, EPOLL_CTL_DEL)
        core.close(connection.id)
        resumeAccepting()
    }

    /// Closes connections that have been silent too long.
    private func sweep() {
        nextSweep = now.steadyMilliseconds + Self.sweepMilliseconds
        resumeAccepting()
        for connection in connections.values
        where now.steadyMilliseconds - connection.lastProgressMilliseconds > Self.idleMilliseconds {
            drop(connection)
        }
    }
}

/// A line on standard error.
func reportError(_ message: String) {
    let line = Array("embedded-broker: \(message)\n".utf8)
    _ = write(STDERR_FILENO, line, line.count)
}
