/// How far event time has come in one source partition, sent to every partition of a repartition topic.
///
/// The value begins with the version of the form that all records of our own making on such topics have, then the kind. It has
/// no key, by which it is told from the records that go through the topic by theirs.
struct EventTimeReport: Hashable {
    static let kind: UInt8 = 1

    var source: TopicPartition
    var watermark: Int64
    var isIdle: Bool

    init(source: TopicPartition, watermark: Int64, isIdle: Bool) {
        self.source = source
        self.watermark = watermark
        self.isIdle = isIdle
    }

    func encode(into bytes: inout [UInt8]) {
        bytes.removeAll(keepingCapacity: true)
        bytes.append(ShuffleForm.version)
        bytes.append(Self.kind)
        bytes.append(text: source.topic)
        bytes.append(integer: source.partition)
        bytes.append(integer: watermark)
        bytes.append(isIdle ? 1 : 0)
    }

    init(_ bytes: Bytes?) throws(ShuffleForm.Failure) {
        let (kind, rest) = try ShuffleForm.open(bytes)
        var reader = rest
        guard kind == Self.kind, let topic = reader.text(), let partition = reader.int32(),
            let watermark = reader.int64(), let idle = reader.byte()
        else { throw .malformed }
        self.init(source: TopicPartition(topic, partition), watermark: watermark, isIdle: idle == 1)
    }
}

/// What every record of our own making on a repartition topic begins with: the version of the form, and the kind of record.
enum ShuffleForm {
    static let version: UInt8 = 1

    enum Failure: Error, Hashable {
        case newerVersion(UInt8)
        case malformed
    }

    /// The kind, and a reader of what follows.
    static func open(_ bytes: Bytes?) throws(Failure) -> (kind: UInt8, rest: ByteReader) {
        guard let bytes else { throw .malformed }
        var reader = ByteReader(bytes)
        guard let version = reader.byte() else { throw .malformed }
        guard version == Self.version else { throw .newerVersion(version) }
        guard let kind = reader.byte() else { throw .malformed }
        return (kind, reader)
    }
}
