public import JSON

extension Stream {
    /// Aggregates by group and window: partial sums before the shuffle, then their combination.
    ///
    /// `name` names the store and the repartition topic. Late records, if `aggregation.forwardsLate`, come out of the returned
    /// pair's second stream as they were.
    public func aggregate(
        _ name: String, _ aggregation: WindowedAggregation, emit emission: WindowEmission,
        partitions: Int32? = nil, reader: @escaping @Sendable (ProcessorContext) -> any EventReader,
        write: @escaping @Sendable (WindowResult, OutputBuffer) -> Void
    ) -> (results: Stream, late: Stream) {
        let topic = RepartitionTopic(name, partitions: partitions)
        let partial = flow.add(
            "\(name)-partial",
            .shuffle(topic) { context, shuffle in
                PartialAggregation(context, aggregation, reader: reader(context), shuffle: shuffle)
            }, inputs: [edge])
        let functions = aggregation.functions.map(\.rawValue).joined(separator: ",")
        let store = StoreDefinition(
            name, format: "windows/1 \(aggregation.windows.sizeMilliseconds)ms \(functions)")
        let combined = flow.add("\(name)-in", .repartitionSource(topic), inputs: [])
            .process("\(name)-combine", stores: [store]) { context in
                WindowCombine(context, aggregation, emission: emission, store: name, write: write)
            }
        return (combined, partial.output(1))
    }
}
