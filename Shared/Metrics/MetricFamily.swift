/// What a metric is: its name, what it means, its labels. Declared once; handles for its label values come from a registry.
///
///     static let recordsRead = MetricFamily.counter(
///         "streamkit_records_read_total", help: "Records taken from input topics.", labels: ["topic"])
///     let handle = try registry.register(.recordsRead, "orders")
public struct MetricFamily<Metric: MetricHandle>: Sendable {
    public let descriptor: MetricDescriptor
}

/// A family without the type of its handles: a row of a catalogue of metrics.
public struct MetricDescriptor: Sendable, Equatable {
    public enum Kind: String, Sendable {
        case counter, gauge, histogram
    }

    public let name: String
    public let kind: Kind
    public let help: String
    public let labels: [String]
    public let unit: MetricUnit
    /// A histogram's upper bounds, ascending, in `unit`.
    public let bounds: [Int]
}

/// What a handle counts in. Prometheus has times in seconds; counting them in whole small units keeps every sum exact.
public enum MetricUnit: Sendable, Equatable {
    /// Shown as counted: records, bytes.
    case ones
    /// Counted in milliseconds, shown in seconds.
    case milliseconds
    /// Counted in microseconds, shown in seconds.
    case microseconds

    /// Digits behind the point when shown.
    var fractionDigits: Int {
        switch self {
        case .ones: 0
        case .milliseconds: 3
        case .microseconds: 6
        }
    }
}

extension MetricFamily where Metric == Counter {
    /// - Parameter name: ends with `_total`.
    public static func counter(
        _ name: String, help: String, labels: [String] = [], unit: MetricUnit = .ones
    ) -> MetricFamily {
        MetricFamily(
            descriptor: MetricDescriptor(name: name, kind: .counter, help: help, labels: labels, unit: unit, bounds: [])
        )
    }
}

extension MetricFamily where Metric == Gauge {
    public static func gauge(
        _ name: String, help: String, labels: [String] = [], unit: MetricUnit = .ones
    ) -> MetricFamily {
        MetricFamily(
            descriptor: MetricDescriptor(name: name, kind: .gauge, help: help, labels: labels, unit: unit, bounds: []))
    }
}

extension MetricFamily where Metric == Histogram {
    /// - Parameter bounds: upper bounds, ascending, in `unit`; what is greater than all of them is counted too.
    public static func histogram(
        _ name: String, help: String, labels: [String] = [], unit: MetricUnit = .ones, bounds: [Int]
    ) -> MetricFamily {
        MetricFamily(
            descriptor: MetricDescriptor(
                name: name, kind: .histogram, help: help, labels: labels, unit: unit, bounds: bounds))
    }
}
