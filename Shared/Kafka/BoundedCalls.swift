internal import Glibc

/// Makes calls on a thread of its own, for those that may never return: whoever wants the answer waits a while for it.
///
/// One thread uses it, a call at a time.
final class BoundedCalls {
    private let desk = Desk()
    private var hasThread = false
    /// A call did not return in time. It may return later, or never; no other is made.
    private(set) var isStuck = false

    deinit { desk.close() }

    /// What `body` answers; nil if it did not within `limit`, and ever after. What `body` captures it keeps until it returns.
    func call<Answer>(within limit: Duration, _ body: @escaping () -> Answer) -> Answer? {
        if isStuck { return nil }
        if !hasThread { hasThread = desk.open() }
        guard hasThread else { return body() }
        let answer = Box<Answer>()
        isStuck = !desk.hand({ answer.content = body() }, patience: limit)
        return isStuck ? nil : answer.content
    }

    private final class Box<Content> {
        var content: Content?
    }
}

/// Where a call is left and its end is waited for. `@unchecked Sendable`: what changes does so under the lock.
private final class Desk: @unchecked Sendable {
    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    private let changed: UnsafeMutablePointer<pthread_cond_t>
    private var call: (() -> Void)?
    private var isDone = false
    private var isClosed = false

    init() {
        lock = .allocate(capacity: 1)
        pthread_mutex_init(lock, nil)
        changed = .allocate(capacity: 1)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(changed, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(changed)
        changed.deallocate()
        pthread_mutex_destroy(lock)
        lock.deallocate()
    }

    /// Starts the thread, which ends once it is idle and the desk closed; false if there is none to be had.
    func open() -> Bool {
        let context = Unmanaged.passRetained(self)
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { context in
                if let context { Unmanaged<Desk>.fromOpaque(context).takeRetainedValue().serve() }
                return nil
            }, context.toOpaque())
        if code == 0 {
            pthread_detach(thread)
        } else {
            context.release()
        }
        return code == 0
    }

    func close() {
        locked {
            isClosed = true
            pthread_cond_broadcast(changed)
        }
    }

    /// Has it called; false if that is not over in time.
    func hand(_ call: @escaping () -> Void, patience: Duration) -> Bool {
        var deadline = timespec()
        clock_gettime(CLOCK_MONOTONIC, &deadline)
        let nanoseconds = deadline.tv_nsec + Int(patience.components.attoseconds / 1_000_000_000)
        deadline.tv_sec += Int(patience.components.seconds) + nanoseconds / 1_000_000_000
        deadline.tv_nsec = nanoseconds % 1_000_000_000
        return locked {
            self.call = call
            isDone = false
            pthread_cond_broadcast(changed)
            while !isDone {
                if pthread_cond_timedwait(changed, lock, &deadline) == ETIMEDOUT { return isDone }
            }
            return true
        }
    }

    private func serve() {
        while makeNextCall() {
            locked {
                isDone = true
                pthread_cond_broadcast(changed)
            }
        }
    }

    /// On its own, so that what the call holds is let go before its end is told.
    private func makeNextCall() -> Bool {
        guard let call = next() else { return false }
        call()
        return true
    }

    private func next() -> (() -> Void)? {
        locked {
            while call == nil && !isClosed { pthread_cond_wait(changed, lock) }
            defer { call = nil }
            return call
        }
    }

    private func locked<Result>(_ body: () -> Result) -> Result {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        return body()
    }
}
