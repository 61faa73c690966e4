internal import Expressions
internal import Glibc
internal import StreamKit
public import StreamKitService
internal import YAML

extension RuleDeclarations {
    /// What a service's `makeWatch` returns, so that reference data is read before the first record and kept up to date.
    public var watch: (@Sendable () -> any ServiceWatch)? {
        if references.isEmpty { return nil }
        let references = references
        return { ReferenceWatch(references) }
    }
}

/// Keeps reference data up to date.
final class ReferenceWatch: ServiceWatch {
    private let files: [ReferenceData]
    private var stamps: [String: FileStamp] = [:]
    private let topics: [ReferenceTopic]

    /// The first look reads every file once more: one may have changed since the settings were read.
    init(_ references: [ReferenceData]) {
        files = references.filter { if case .file = $0.source { true } else { false } }
        topics = references.compactMap { reference in
            if case .topic(let topic) = reference.source { ReferenceTopic(reference, topic) } else { nil }
        }
    }

    func look(_ cluster: any Cluster, _ logger: Logger) -> Bool {
        for file in files { look(file, logger) }
        var isReady = true
        for topic in topics {
            do throws(BrokerFailure) {
                if try !topic.look(cluster, logger) { isReady = false }
            } catch {
                logger.repeated(
                    .warn, "reference topic not readable now", about: topic.reference.name, ["error": .text("\(error)")]
                )
                if !topic.isComplete { isReady = false }
            }
        }
        return isReady
    }

    func close() { for topic in topics { topic.close() } }

    private struct FileStamp: Hashable {
        let seconds: Int
        let nanoseconds: Int
        let bytes: Int
        let inode: UInt64

        init?(_ path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            seconds = status.st_mtim.tv_sec
            nanoseconds = status.st_mtim.tv_nsec
            bytes = status.st_size
            inode = UInt64(status.st_ino)
        }
    }

    private func look(_ reference: ReferenceData, _ logger: Logger) {
        guard case .file(let path) = reference.source, let stamp = FileStamp(path), stamp != stamps[path] else {
            return
        }
        let isFirst = stamps[path] == nil
        stamps[path] = stamp
        do throws(SettingsFault) {
            reference.replace(try reference.load(file: path))
            if !isFirst { logger.info("reference data read anew", ["reference": .text(reference.name)]) }
        } catch {
            logger.error(
                "reference data not usable; the old is kept",
                ["reference": .text(reference.name), "error": .text(error.description)])
        }
    }
}

/// A reference topic's reader: the last value of each key, tombstones remove.
private final class ReferenceTopic {
    let reference: ReferenceData
    private let topic: String
    private var reader: (any PartitionReader)?
    private var ends: [(partition: TopicPartition, end: Int64)] = []
    private var entries: [Text: Value] = [:]
    /// It was read to where it ended when reading began.
    private(set) var isComplete = false

    init(_ reference: ReferenceData, _ topic: String) {
        self.reference = reference
        self.topic = topic
    }

    /// Takes what is there; true once the topic has been read whole.
    func look(_ cluster: any Cluster, _ logger: Logger) throws(BrokerFailure) -> Bool {
        if reader == nil, try !open(cluster, logger) { return false }
        guard let reader else { return false }
        var changes = 0
        // Bounded, so that a busy topic does not keep everything else waiting.
        for _ in 0..<100 {
            let batch = try reader.poll(timeoutMilliseconds: isComplete ? 0 : 50, maximum: 4096)
            for record in batch.records { if take(record, reader, logger) { changes += 1 } }
            let count = batch.records.count
            reader.release()
            let reached = ends.allSatisfy { (reader.position(of: $0.partition) ?? 0) >= $0.end || $0.end == 0 }
            if reached && count == 0 { break }
        }
        let reached = ends.allSatisfy { (reader.position(of: $0.partition) ?? 0) >= $0.end || $0.end == 0 }
        if changes > 0 || (reached && !isComplete) { reference.replace(.map(map)) }
        if reached && !isComplete {
            isComplete = true
            logger.info(
                "reference topic read", ["reference": .text(reference.name), "entries": .integer(entries.count)])
        }
        return isComplete
    }

    func close() { reader?.close() }

    private var map: ValueMap {
        var map = ValueMap()
        for (key, value) in entries { _ = map.set(.string(key), value) }
        return map
    }

    private func open(_ cluster: any Cluster, _ logger: Logger) throws(BrokerFailure) -> Bool {
        guard let count = try cluster.partitionCounts(of: [topic])[topic], count > 0 else {
            logger.repeated(
                .warn, "waiting for a reference topic that does not exist", about: topic, ["kafka.topic": .text(topic)])
            return false
        }
        let opened = try cluster.makeReader(follows: true)
        var starts: [StartOffset] = []
        for number in 0..<count {
            let partition = TopicPartition(topic, number)
            let bounds = try opened.bounds(of: partition)
            ends.append((partition, bounds.first == bounds.end ? 0 : bounds.end))
            starts.append(StartOffset(partition, offset: bounds.first, paused: false))
        }
        try opened.assign(starts)
        reader = opened
        return true
    }

    /// Whether the record changed something.
    private func take(_ record: Record, _ reader: any PartitionReader, _ logger: Logger) -> Bool {
        let place = "\(reader.partition(at: record.origin.source)) offset \(record.origin.offset)"
        guard let bytes = record.key, let key = Text(utf8: Array(bytes)) else {
            logger.error("reference record without a readable key", ["record": .text(place)])
            return false
        }
        guard let value = record.value else { return entries.removeValue(forKey: key) != nil }
        do {
            let node = try YAMLDocument.parse(Array(value), source: place)
            entries[key] = try YAMLValues.value(node, as: reference.elementType)
            return true
        } catch {
            logger.error(
                "reference record not usable; the old value is kept",
                ["record": .text(place), "error": .text("\(error)")])
            return false
        }
    }
}
