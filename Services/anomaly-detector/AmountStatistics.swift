import JSON
import StreamKit

/// Count, sum and sum of squares of amounts, exact, in hundredths.
struct AmountStatistics: Hashable {
    private var count: Int64 = 0
    private var sum: Int128 = 0
    private var squares: Int128 = 0

    init() {}

    mutating func take(_ amount: Decimal) {
        guard let value = Self.hundredths(amount) else { return }
        let square = value.multipliedReportingOverflow(by: value)
        let newSquares = squares.addingReportingOverflow(square.partialValue)
        let newSum = sum.addingReportingOverflow(value)
        // Beyond what 128 bits hold nothing more is learnt; what is known stays right.
        if square.overflow || newSquares.overflow || newSum.overflow { return }
        count += 1
        sum = newSum.partialValue
        squares = newSquares.partialValue
    }

    /// Whether an amount is more than `deviations` sample standard deviations from the mean of the amounts taken, of which there
    /// must be at least `minimum`. Without deviation nothing is an outlier.
    ///
    /// Exact: with s² = (n·Q − S²) / (n·(n − 1)), |x − S/n| > k·s is (n·x − S)²·(n − 1) > k²·n·(n·Q − S²).
    func isOutlier(_ amount: Decimal, deviations: Int, minimum: Int) -> Bool {
        guard count >= max(2, minimum), let value = Self.hundredths(amount) else { return false }
        let n = Int128(count)
        let (distance, distanceOverflow) = Self.difference(n, value, sum)
        let (spread, spreadOverflow) = Self.product(n, squares, minus: sum, sum)
        if !spreadOverflow, spread <= 0 { return false }
        let square = distance.multipliedReportingOverflow(by: distance)
        let left = square.partialValue.multipliedReportingOverflow(by: n - 1)
        let right = spread.multipliedReportingOverflow(by: Int128(deviations * deviations) * n)
        if distanceOverflow || spreadOverflow || square.overflow || left.overflow || right.overflow {
            return isOutlierNearly(Double(value), deviations: Double(deviations))
        }
        return left.partialValue > right.partialValue
    }

    /// The same beyond 128 bits, where the last digits do not decide.
    private func isOutlierNearly(_ value: Double, deviations: Double) -> Bool {
        let n = Double(count)
        let mean = Double(sum) / n
        let variance = (Double(squares) - n * mean * mean) / (n - 1)
        return variance > 0 && (value - mean) * (value - mean) > deviations * deviations * variance
    }

    /// n·x − s
    private static func difference(_ n: Int128, _ x: Int128, _ s: Int128) -> (Int128, overflow: Bool) {
        let product = n.multipliedReportingOverflow(by: x)
        let difference = product.partialValue.subtractingReportingOverflow(s)
        return (difference.partialValue, product.overflow || difference.overflow)
    }

    /// n·q − s·t
    private static func product(_ n: Int128, _ q: Int128, minus s: Int128, _ t: Int128) -> (Int128, overflow: Bool) {
        let first = n.multipliedReportingOverflow(by: q)
        let second = s.multipliedReportingOverflow(by: t)
        let difference = first.partialValue.subtractingReportingOverflow(second.partialValue)
        return (difference.partialValue, first.overflow || second.overflow || difference.overflow)
    }

    private static func hundredths(_ amount: Decimal) -> Int128? {
        guard let rounded = try? amount.rounded(scale: 2), rounded.mantissa.magnitude < 1 << 60 else { return nil }
        var value = rounded.mantissa
        for _ in rounded.scale..<2 { value *= 10 }
        return value
    }

    func encode(into bytes: OutputBuffer) {
        bytes.append(binary: count)
        bytes.append(binary: sum)
        bytes.append(binary: squares)
    }

    init?(_ reader: inout ByteReader) {
        guard let count = reader.int64(), let sum = reader.int128(), let squares = reader.int128() else { return nil }
        self.count = count
        self.sum = sum
        self.squares = squares
    }
}
