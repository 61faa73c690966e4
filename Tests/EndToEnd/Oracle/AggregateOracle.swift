import Foundation

extension PipelineOracle {
    private static let windowMilliseconds: Int64 = 300_000
    private static let latenessMilliseconds: Int64 = 600_000

    private struct Window: Hashable {
        var region: String
        var start: Int64
        var end: Int64 { start + PipelineOracle.windowMilliseconds }
        var name: String { "\(region) \(CivilClock.text(start))" }
    }

    private struct Sums {
        var count = 0
        var total = Decimal()
        var greatest = Decimal()
    }

    /// Every processed order is in one window or one `LATE`; windows that event time has closed are there, once, to the cent.
    mutating func checkAggregator() {
        var expected: [Window: Sums] = [:]
        var watermarks: [Int32: Int64] = [:]
        var refused = Dictionary(grouping: letters(from: .processed), by: \.record.timestampMilliseconds)
        for (partition, records) in contents.byPartition(.processed) {
            var watermark = Int64.min
            for record in records {
                guard let json = record.value.flatMap({ StrictJSON($0) }), let region = json["region"]?.string,
                    let amount = OrderRules.decimal(json["amount"]),
                    let time = json["timestamp"]?.string.flatMap(CivilClock.milliseconds)
                else {
                    findings.add("processed, but not readable: \(record.valueText)")
                    continue
                }
                let rest = time % Self.windowMilliseconds
                let window = Window(region: region, start: time - (rest < 0 ? rest + Self.windowMilliseconds : rest))
                if watermark != .min, window.end + Self.latenessMilliseconds <= watermark {
                    let letter = refused.removeValue(forKey: record.timestampMilliseconds)?.first
                    findings.expect(
                        letter?.type == "LATE" && letter?.original == record.value
                            && letter?.originPartition == record.partition && letter?.originOffset == record.offset,
                        "late, but no LATE: \(record.place) \(record.valueText)")
                } else {
                    var sums = expected[window] ?? Sums(greatest: amount)
                    sums.count += 1
                    sums.total += amount
                    sums.greatest = max(sums.greatest, amount)
                    expected[window] = sums
                }
                if time > watermark, time <= options.nowMilliseconds + 3_600_000 { watermark = time }
            }
            watermarks[partition] = watermark
        }
        for letter in refused.values.joined() {
            findings.add("refused after processed: \(letter.type) \(letter.message) \(letter.record.valueText)")
        }
        checkWindows(expected, watermarks)
    }

    private mutating func checkWindows(_ expected: [Window: Sums], _ watermarks: [Int32: Int64]) {
        let least = watermarks.values.min() ?? .min
        let greatest = watermarks.values.max() ?? .min
        var seen: Set<Window> = []
        for record in contents[.aggregations] {
            guard let json = record.value.flatMap({ StrictJSON($0) }), let region = json["region"]?.string,
                let start = json["window_start"]?.string.flatMap(CivilClock.milliseconds),
                let end = json["window_end"]?.string.flatMap(CivilClock.milliseconds),
                let total = OrderRules.decimal(json["total_amount"]), let average = json["avg_order_value"]?.string,
                let largest = OrderRules.decimal(json["max_order_value"]), let count = json["total_orders"]?.integer,
                json["processing_timestamp_ms"]?.integer != nil
            else {
                findings.add("not an aggregate: \(record.valueText)")
                continue
            }
            let window = Window(region: region, start: start)
            findings.expect(seen.insert(window).inserted, "window \(window.name) twice: \(record.valueText)")
            findings.expect(record.keyText == region, "key \(record.keyText) of \(record.valueText)")
            findings.expect(
                end == window.end && record.timestampMilliseconds == window.end, "end of \(record.valueText)")
            guard let sums = expected[window] else {
                findings.add("nothing belongs into \(record.valueText)")
                continue
            }
            findings.expect(
                window.end + Self.latenessMilliseconds <= greatest, "no partition has closed \(record.valueText)")
            let expectedAverage = OrderRules.rounded(sums.total / Decimal(sums.count))
            findings.expect(
                Int64(sums.count) == count && sums.total == total && sums.greatest == largest
                    && expectedAverage == average,
                "\(record.valueText) should be \(sums.count) orders, \(sums.total), \(expectedAverage), \(sums.greatest)"
            )
        }
        tally.windows = seen.count
        guard options.expectsClosedWindows else { return }
        for window in expected.keys where window.end + Self.latenessMilliseconds <= least && !seen.contains(window) {
            findings.add("window \(window.name) is closed, but was not emitted: \(expected[window]?.count ?? 0) orders")
        }
    }

    /// How many windows the processed orders close, for those who wait for them.
    func closedWindowCount() -> Int {
        var windows: Set<Window> = []
        var watermarks: [Int64] = []
        for records in contents.byPartition(.processed).values {
            var watermark = Int64.min
            for record in records {
                guard let json = record.value.flatMap({ StrictJSON($0) }), let region = json["region"]?.string,
                    let time = json["timestamp"]?.string.flatMap(CivilClock.milliseconds)
                else { continue }
                let rest = time % Self.windowMilliseconds
                let window = Window(region: region, start: time - (rest < 0 ? rest + Self.windowMilliseconds : rest))
                if watermark == .min || window.end + Self.latenessMilliseconds > watermark { windows.insert(window) }
                if time > watermark, time <= options.nowMilliseconds + 3_600_000 { watermark = time }
            }
            watermarks.append(watermark)
        }
        let least = watermarks.min() ?? .min
        return windows.count { $0.end + Self.latenessMilliseconds <= least }
    }
}
