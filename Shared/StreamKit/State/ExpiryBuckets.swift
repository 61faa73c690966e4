/// Which entries die together: an expiry is rounded up to the end of a bucket.
///
/// Near the watermark, where nearly all are, a bucket is a sixteenth of the store's span wide. Far from it buckets are as wide as
/// they are far, in powers of two. So the number of buckets is bounded whatever the event times, and an entry stays in the
/// changelog at most as long again as it had to, or a sixteenth of the span.
package struct ExpiryBuckets: Hashable, Sendable {
    package struct Bucket: Hashable, Sendable {
        /// The least and the greatest expiry that are known to lie in it.
        package var least: Int64
        package var greatest: Int64
        package var end: Int64
    }

    private static let perSpan: Int64 = 16
    private let width: Int64
    /// How far from the watermark the narrow ones reach.
    private let near: Int64

    package init(spanMilliseconds: Int64) {
        let span = min(max(1, spanMilliseconds), Int64.max / 4)
        width = max(1, span / Self.perSpan)
        near = span * 2
    }

    /// The bucket of an expiry, as seen from the watermark (or, where there is none yet, from the clock).
    package func bucket(of expiry: Int64, seenFrom reference: Int64) -> Bucket {
        let (distance, overflow) = expiry.subtractingReportingOverflow(reference)
        if overflow || distance.magnitude > near.magnitude {
            let exponent = overflow ? 62 : min(62, 63 - distance.magnitude.leadingZeroBitCount)
            return Bucket(
                least: expiry, greatest: expiry, end: Self.roundUp(expiry, to: 1 << Int64(exponent)))
        }
        let end = Self.roundUp(expiry, to: width)
        // The last bucket of all is a narrower one.
        if end == .max { return Bucket(least: expiry, greatest: expiry, end: end) }
        return Bucket(
            least: max(end.subtractingClamped(width - 1), reference.subtractingClamped(near)),
            greatest: min(end, reference.addingClamped(near)), end: end)
    }

    private static func roundUp(_ time: Int64, to width: Int64) -> Int64 {
        let (quotient, remainder) = time.quotientAndRemainder(dividingBy: width)
        let (end, overflow) = (remainder > 0 ? quotient + 1 : quotient).multipliedReportingOverflow(by: width)
        return overflow ? .max : end
    }
}
