/// Windows of one length that follow one another without gap or overlap, aligned to 1970-01-01T00:00:00Z.
public struct TumblingWindows: Hashable, Sendable {
    public let sizeMilliseconds: Int64
    /// How far the watermark may pass a window's end before records for it are late (the allowed lateness).
    public let graceMilliseconds: Int64

    /// nil unless the size is at least a millisecond and the grace is not negative, both at most 10,000 years.
    public init?(sizeMilliseconds: Int64, graceMilliseconds: Int64) {
        let limit: Int64 = 10_000 * 366 * 86_400_000
        guard (1...limit).contains(sizeMilliseconds), (0...limit).contains(graceMilliseconds) else { return nil }
        self.sizeMilliseconds = sizeMilliseconds
        self.graceMilliseconds = graceMilliseconds
    }

    /// As above; lengths are rounded down to milliseconds.
    public init?(size: Duration, grace: Duration) {
        self.init(sizeMilliseconds: size.wholeMilliseconds, graceMilliseconds: grace.wholeMilliseconds)
    }

    /// The start of the window that an event time falls into.
    public func start(of eventTimeMilliseconds: Int64) -> Int64 {
        let remainder = eventTimeMilliseconds % sizeMilliseconds
        return eventTimeMilliseconds &- (remainder < 0 ? remainder &+ sizeMilliseconds : remainder)
    }

    public func end(ofWindowAt start: Int64) -> Int64 { start &+ sizeMilliseconds }

    /// Nothing more is taken for the window once the watermark is here.
    public func isClosed(windowAt start: Int64, watermark: Int64) -> Bool {
        watermark != TaskTime.none && watermark >= end(ofWindowAt: start) &+ graceMilliseconds
    }

    /// A number that grows by one with each window that the watermark closes; nil before the first watermark.
    public func closedCount(watermark: Int64) -> Int64? {
        watermark == TaskTime.none ? nil : start(of: watermark &- graceMilliseconds) / sizeMilliseconds
    }
}
