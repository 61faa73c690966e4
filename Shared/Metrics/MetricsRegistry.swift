internal import Synchronization

/// Why a metric cannot be registered; a mistake in the program, found at its start.
public struct MetricError: Error, Equatable, CustomStringConvertible {
    public let name: String
    public let reason: String

    public var description: String { "metric \(name): \(reason)" }
}

/// All metrics of a process. Registering and reading lock; counting never does.
public final class MetricsRegistry: Sendable {
    private struct Series {
        let prefixes: SeriesPrefixes
        let handle: any MetricHandle
    }

    private struct Family {
        let descriptor: MetricDescriptor
        let heading: [UInt8]
        var series: [[String]: Series] = [:]
    }

    private struct State {
        var families: [String: Family] = [:]
        var collectors: [@Sendable () -> Void] = []
    }

    private let state = Mutex(State())
    private let constantLabels: [(name: String, value: String)]

    /// - Parameter constantLabels: stand on every line, such as the application's name.
    public init(constantLabels: KeyValuePairs<String, String> = [:]) {
        self.constantLabels = constantLabels.map { ($0.key, $0.value) }
    }

    /// The handle for a family and its labels' values, in the order of their names; the same again for the same values.
    ///
    /// - Throws: if a name is malformed, the number of values is wrong, or the name is taken by another family.
    public func register<Metric>(_ family: MetricFamily<Metric>, _ values: String...) throws(MetricError) -> Metric {
        try register(family, values)
    }

    public func register<Metric>(_ family: MetricFamily<Metric>, _ values: [String]) throws(MetricError) -> Metric {
        let descriptor = family.descriptor
        try Exposition.check(descriptor, constantLabels: constantLabels.map(\.name))
        guard values.count == descriptor.labels.count else {
            throw MetricError(
                name: descriptor.name, reason: "\(values.count) values for \(descriptor.labels.count) labels")
        }
        let outcome = state.withLock { state -> Result<Metric, MetricError> in
            var entry =
                state.families[descriptor.name]
                ?? Family(descriptor: descriptor, heading: Exposition.heading(descriptor))
            guard entry.descriptor == descriptor else {
                return .failure(
                    MetricError(name: descriptor.name, reason: "is registered already with another meaning"))
            }
            if let handle = entry.series[values]?.handle as? Metric { return .success(handle) }
            let handle = Metric(descriptor)
            let labels = constantLabels + zip(descriptor.labels, values).map { ($0, $1) }
            entry.series[values] = Series(prefixes: SeriesPrefixes(descriptor, labels), handle: handle)
            state.families[descriptor.name] = entry
            return .success(handle)
        }
        return try outcome.get()
    }

    /// Takes a series off the list, as when its partition went elsewhere; its handle still counts, for nobody.
    public func retire<Metric>(_ family: MetricFamily<Metric>, _ values: [String]) {
        state.withLock { $0.families[family.descriptor.name]?.series[values] = nil }
    }

    /// Runs whenever the metrics are asked for, before they are read: for values that are looked up, not counted.
    public func onRead(_ collect: @escaping @Sendable () -> Void) {
        state.withLock { $0.collectors.append(collect) }
    }

    /// What is registered, by name.
    public var catalog: [MetricDescriptor] {
        state.withLock { $0.families.values.map(\.descriptor) }.sorted { $0.name < $1.name }
    }

    /// All metrics in Prometheus's text format 0.0.4, families by name, series by their labels' values.
    public func exposition() -> [UInt8] {
        for collect in state.withLock({ $0.collectors }) { collect() }
        return state.withLock { state in
            var page: [UInt8] = []
            for (_, family) in state.families.sorted(by: { $0.key < $1.key }) where !family.series.isEmpty {
                page += family.heading
                let ordered = family.series.sorted { $0.key.lexicographicallyPrecedes($1.key) }
                for (_, series) in ordered { series.prefixes.append(series.handle, family.descriptor, to: &page) }
            }
            return page
        }
    }

    /// The content type of `exposition()`.
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"
}
