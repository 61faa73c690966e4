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
        ShuffleForm.begin(Self.kind, of: source, into: &bytes)
        bytes.append(integer: watermark)
        bytes.append(isIdle ? 1 : 0)
    }

    init(_ bytes: Bytes?) throws(ShuffleForm.Failure) {
        var form = try ShuffleForm(bytes)
        guard form.kind == Self.kind, let watermark = form.rest.int64(), let idle = form.rest.byte()
        else { throw .malformed }
        self.init(source: form.source, watermark: watermark, isIdle: idle == 1)
    }
}

/// What every record of our own making on a repartition topic begins with: the version of the form, the kind of record, and the
/// source partition that it speaks for.
struct ShuffleForm {
    private static let version: UInt8 = 1

    let kind: UInt8
    let source: TopicPartition
    /// What follows.
    var rest: ByteReader

    enum Failure: Error, Hashable {
        case newerVersion(UInt8)
        case malformed
    }

    static func begin(_ kind: UInt8, of source: TopicPartition, into bytes: inout [UInt8]) {
        bytes.removeAll(keepingCapacity: true)
        bytes.append(version)
        bytes.append(kind)
        bytes.append(text: source.topic)
        bytes.append(integer: source.partition)
    }

    init(_ bytes: Bytes?) throws(Failure) {
        guard let bytes else { throw .malformed }
        var reader = ByteReader(bytes)
        guard let version = reader.byte() else { throw .malformed }
        guard version == Self.version else { throw .newerVersion(version) }
        guard let kind = reader.byte(), let topic = reader.text(), let partition = reader.int32()
        else { throw .malformed }
        self.kind = kind
        source = TopicPartition(topic, partition)
        rest = reader
    }
}
