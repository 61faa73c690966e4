internal import Glibc

/// An operating-system thread that runs a closure to its end. What belongs to the thread alone is made inside the closure.
struct PosixThread {
    private final class Start {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    private let handle: pthread_t

    /// nil if the system has no thread left to give.
    init?(_ body: @escaping @Sendable () -> Void) {
        var handle = pthread_t()
        let start = Unmanaged.passRetained(Start(body))
        let result = pthread_create(
            &handle, nil,
            { argument in
                if let argument { Unmanaged<Start>.fromOpaque(argument).takeRetainedValue().body() }
                return nil
            }, start.toOpaque())
        guard result == 0 else {
            start.release()
            return nil
        }
        self.handle = handle
    }

    func join() { pthread_join(handle, nil) }
}
