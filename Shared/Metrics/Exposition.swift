/// Prometheus's text format: names, escapes, numbers.
enum Exposition {
    static func check(_ descriptor: MetricDescriptor, constantLabels: [String]) throws(MetricError) {
        func refuse(_ reason: String) -> MetricError { MetricError(name: descriptor.name, reason: reason) }
        guard isName(descriptor.name, allowing: ":") else { throw refuse("not a name for a metric") }
        if descriptor.help.isEmpty { throw refuse("has no help text") }
        if descriptor.kind == .counter, !descriptor.name.hasSuffix("_total") {
            throw refuse("a counter's name ends with _total")
        }
        let labels = constantLabels + descriptor.labels
        for label in labels where !isName(label) || label.hasPrefix("__") || label == "le" {
            throw refuse("\(label) is not a name for a label")
        }
        if Set(labels).count != labels.count { throw refuse("has a label twice") }
        let bounds = descriptor.bounds
        if zip(bounds, bounds.dropFirst()).contains(where: { $0 >= $1 }) { throw refuse("bounds must ascend") }
    }

    static func heading(_ descriptor: MetricDescriptor) -> [UInt8] {
        var bytes = Array("# HELP \(descriptor.name) ".utf8)
        appendEscaped(descriptor.help, quotes: false, to: &bytes)
        bytes += "\n# TYPE \(descriptor.name) \(descriptor.kind.rawValue)\n".utf8
        return bytes
    }

    /// `name{label="value"} `, all but the number.
    static func prefix(_ name: String, _ labels: [(name: String, value: String)]) -> [UInt8] {
        var bytes = Array(name.utf8)
        for (position, label) in labels.enumerated() {
            bytes += "\(position == 0 ? "{" : ",")\(label.name)=\"".utf8
            appendEscaped(label.value, quotes: true, to: &bytes)
            bytes.append(UInt8(ascii: "\""))
        }
        bytes += labels.isEmpty ? " ".utf8 : "} ".utf8
        return bytes
    }

    /// A whole number of a unit, exactly: 1500 milliseconds are `1.5`.
    static func number(_ value: Int, _ unit: MetricUnit) -> String {
        let digits = unit.fractionDigits
        guard digits > 0 else { return "\(value)" }
        var text = "\(value.magnitude)"
        if text.utf8.count <= digits { text = String(repeating: "0", count: digits + 1 - text.utf8.count) + text }
        var fraction = text.suffix(digits)
        while fraction.last == "0" { fraction.removeLast() }
        let whole = (value < 0 ? "-" : "") + text.dropLast(digits)
        return fraction.isEmpty ? whole : "\(whole).\(fraction)"
    }

    private static func isName(_ text: String, allowing extra: Character? = nil) -> Bool {
        guard let first = text.first, !first.isNumber else { return false }
        return text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") || $0 == extra }
    }

    private static func appendEscaped(_ text: String, quotes: Bool, to bytes: inout [UInt8]) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): bytes += #"\\"#.utf8
            case UInt8(ascii: "\n"): bytes += #"\n"#.utf8
            case UInt8(ascii: "\"") where quotes: bytes += #"\""#.utf8
            default: bytes.append(byte)
            }
        }
    }
}

/// The lines of one series but for their numbers, rendered when it is registered.
struct SeriesPrefixes {
    private let lines: [[UInt8]]

    init(_ descriptor: MetricDescriptor, _ labels: [(name: String, value: String)]) {
        let name = descriptor.name
        switch descriptor.kind {
        case .counter, .gauge: lines = [Exposition.prefix(name, labels)]
        case .histogram:
            let bounds = descriptor.bounds.map { Exposition.number($0, descriptor.unit) } + ["+Inf"]
            lines =
                bounds.map { Exposition.prefix("\(name)_bucket", labels + [("le", $0)]) }
                + [Exposition.prefix("\(name)_sum", labels), Exposition.prefix("\(name)_count", labels)]
        }
    }

    func append(_ handle: any MetricHandle, _ descriptor: MetricDescriptor, to page: inout [UInt8]) {
        switch handle {
        case let counter as Counter: append([Exposition.number(counter.value, descriptor.unit)], to: &page)
        case let gauge as Gauge: append([Exposition.number(gauge.value, descriptor.unit)], to: &page)
        case let histogram as Histogram:
            let (cumulative, sum) = histogram.snapshot
            let count = cumulative.last ?? 0
            append(cumulative.map { "\($0)" } + [Exposition.number(sum, descriptor.unit), "\(count)"], to: &page)
        default: break
        }
    }

    private func append(_ numbers: [String], to page: inout [UInt8]) {
        for (line, number) in zip(lines, numbers) {
            page += line
            page += number.utf8
            page.append(UInt8(ascii: "\n"))
        }
    }
}
