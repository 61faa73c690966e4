/// The runtime's only way to know the time.
public protocol Clock: Sendable {
    /// Wall-clock time, in milliseconds since 1970 UTC.
    var nowMilliseconds: Int64 { get }
    /// Never goes back; for intervals.
    var monotonicMilliseconds: Int64 { get }
    /// Lets time pass between two tries of something that failed.
    func pause(milliseconds: Int64)
}
