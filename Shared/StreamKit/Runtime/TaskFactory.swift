/// Makes the tasks of one thread out of the topology.
struct TaskFactory {
    let plan: ThreadPlan
    let clock: any Clock
    let consumer: any SourceConsumer
    let output: TaskOutput
    let counters: TransactionCounters
    let backends: any StoreBackendFactory

    /// A task with its stores opened (or, where the thread still has them, taken over) but not restored.
    /// `upstream` are the partitions that feed its repartition topics; `watermarks` are what was committed beside the offsets of its source partitions.
    func make(
        _ subtopology: Subtopology, partition: Int32, upstream: [TopicPartition], watermarks: [TopicPartition: Int64],
        parked: inout ParkedStores
    ) throws(StreamFault) -> StreamTask {
        let topology = plan.topology
        let id = TaskID(subtopology: subtopology.index, partition: partition)
        let time = TaskTime()
        var stores: [TaskStore] = []
        for definition in subtopology.stores { stores.append(try open(definition, partition, &parked)) }

        // From the last node to the first, so that each finds what comes after it.
        var built: [Int: Processor] = [:]
        var processors: [Processor] = []
        for node in subtopology.nodes.reversed() {
            let definition = topology.nodes[node]
            let context = ProcessorContext(
                application: topology.application, name: definition.name, task: id, clock: clock, output: output,
                counters: counters, time: time, upstream: upstream, reader: consumer,
                stores: access(to: definition.stores, among: stores, time),
                outputs: outputs(of: node, in: subtopology, id: id, time: time, built: built))
            let processor = try makeProcessor(definition, context)
            built[node] = processor
            processors.append(processor)
        }

        var inputs: [SourceInput] = []
        for node in subtopology.nodes {
            guard let head = built[node] else { continue }
            let isInternal: Bool
            if case .repartitionSource = topology.nodes[node].kind { isInternal = true } else { isInternal = false }
            for topic in topology.sourceTopics(of: topology.nodes[node]) {
                let source = TopicPartition(topic, partition)
                let number = consumer.index(of: source)
                let timeIndex = time.add(source, source: number, watermark: watermarks[source] ?? TaskTime.none)
                inputs.append(
                    SourceInput(
                        source: number, partition: source, head: head, timeIndex: timeIndex,
                        task: id,
                        time: time, isInternal: isInternal))
            }
        }
        return StreamTask(id: id, time: time, processors: processors.reversed(), stores: stores, inputs: inputs)
    }

    /// The stores that a step was declared with, by their names.
    private func access(
        to definitions: [StoreDefinition], among stores: [TaskStore], _ time: TaskTime
    ) -> [String: StoreAccess] {
        var access: [String: StoreAccess] = [:]
        for definition in definitions {
            guard let store = stores.first(where: { $0.definition.name == definition.name }) else { continue }
            access[definition.name] = StoreAccess(definition, store.backend, time)
        }
        return access
    }

    private func open(
        _ definition: StoreDefinition, _ partition: Int32, _ parked: inout ParkedStores
    ) throws(StreamFault) -> TaskStore {
        let changelog = TopicPartition(plan.topology.changelogTopic(definition), partition)
        let backend: any StoreBackend
        if let kept = parked.take(definition.name, partition) {
            backend = kept
        } else {
            do {
                backend = try backends.open(store: definition.name, partition: partition, definition: definition.format)
            } catch {
                throw .store(error)
            }
        }
        do {
            return TaskStore(definition, backend, changelog: changelog, target: try output.target(changelog.topic))
        } catch {
            throw .broker(error)
        }
    }

    private func makeProcessor(_ node: Topology.Node, _ context: ProcessorContext) throws(StreamFault) -> Processor {
        do {
            switch node.kind {
            case .source, .repartitionSource:
                return PassProcessor(context)
            case .process(let make):
                return make(context)
            case .sink(let sink):
                return SinkProcessor(
                    context, target: try output.target(sink.topic), correlation: plan.correlation, reader: consumer)
            case .shuffle(let topic, let make):
                let target = try output.target(plan.topology.repartitionTopic(topic))
                return make(context, ShuffleWriter(output, target: target))
            case .repartitionSink(let topic, let reporting):
                let target = try output.target(plan.topology.repartitionTopic(topic))
                // Made here where it is to be made: past the shuffle, the origin is the repartition topic.
                return SinkProcessor(
                    context, target: target, correlation: plan.correlation, reader: consumer,
                    reporter: reporting.map { EventTimeReporter(context, ShuffleWriter(output, target: target), $0) })
            }
        } catch {
            throw .broker(error)
        }
    }

    /// What comes after each output of a node; several steps after one output get a fan-out before them.
    private func outputs(
        of node: Int, in subtopology: Subtopology, id: TaskID, time: TaskTime, built: [Int: Processor]
    ) -> [Processor?] {
        var targets: [[Processor]] = []
        for next in subtopology.nodes {
            for edge in plan.topology.nodes[next].inputs where edge.node == node {
                while targets.count <= edge.output { targets.append([]) }
                if let processor = built[next] { targets[edge.output].append(processor) }
            }
        }
        return targets.map { processors in
            if processors.count <= 1 { return processors.first }
            let context = ProcessorContext(
                application: plan.topology.application, name: "\(plan.topology.nodes[node].name)-fan-out", task: id,
                clock: clock, output: output, counters: counters, time: time, upstream: [], reader: consumer,
                stores: [:],
                outputs: [])
            return FanOutProcessor(context, processors)
        }
    }
}

/// Stores of partitions that went elsewhere, kept for a while in case they come back: then only the changelog's tail is read.
struct ParkedStores {
    private struct Key: Hashable {
        let name: String
        let partition: Int32
    }
    private var stores: [Key: (backend: any StoreBackend, since: Int64)] = [:]

    mutating func park(_ store: TaskStore, now: Int64) {
        stores[Key(name: store.definition.name, partition: store.changelog.partition)] = (store.backend, now)
    }

    mutating func take(_ name: String, _ partition: Int32) -> (any StoreBackend)? {
        stores.removeValue(forKey: Key(name: name, partition: partition))?.backend
    }

    mutating func closeOlder(than limit: Int64) {
        for (key, entry) in stores where entry.since < limit {
            entry.backend.close()
            stores[key] = nil
        }
    }
}
