internal import JSON
internal import Kafka

/// The record that a dead letter holds, as it was before it was refused.
struct RefusedRecord {
    let topic: String
    let partition: Int32?
    /// nil: a tombstone.
    let value: [UInt8]?
    /// How often it was put back already.
    let replays: Int

    /// Why a dead letter cannot be put back.
    enum Obstacle: Error, Hashable {
        case withoutOrigin
        case cut
        case standsForOthers

        var text: String {
            switch self {
            case .withoutOrigin: "not saying where they came from"
            case .cut: "holding only a part of the record, which was too large"
            case .standsForOthers: "standing for several records, which are in their topic still"
            }
        }
    }

    /// Counts how often a record was put back, so that one that is refused again and again does not go round for ever.
    static let replaysHeader = "streamkit-replays"

    private static let families = ["__streams.errors.", "__connect.errors."]

    /// Whether a header tells of the refusal, and not of the record.
    static func isOfRefusal(_ name: UnsafeRawBufferPointer) -> Bool {
        name.elementsEqual(replaysHeader.utf8) || families.contains { name.starts(with: $0.utf8) }
    }

    /// - Parameter reader: any, to be used again.
    init(_ letter: ConsumedRecord, _ reader: JSONRecord) throws(Obstacle) {
        func header(_ name: String) -> String? {
            Self.families.lazy.compactMap { letter.headers?.last($0 + name) }.first
                .map { String(decoding: $0, as: UTF8.self) }
        }
        guard let topic = header("topic"), !topic.isEmpty else { throw .withoutOrigin }
        self.topic = topic
        partition = header("partition").flatMap { Int32($0) }
        replays =
            letter.headers?.last(Self.replaysHeader).flatMap { Int(String(decoding: $0, as: UTF8.self)) } ?? 0
        value = try Self.original(letter.value, reader)
    }

    private static func original(_ bytes: UnsafeRawBufferPointer?, _ reader: JSONRecord) throws(Obstacle) -> [UInt8]? {
        guard let bytes else { return nil }
        defer { reader.clear() }
        guard (try? reader.read(bytes)) != nil, reader.root.kind == .object,
            let original = reader.field(named: "original_message")
        else {
            // Kafka Streams and Kafka Connect write the record itself.
            return Array(bytes)
        }
        if reader.field(named: "original_message_truncated")?.bool == true { throw .cut }
        if reader.field(named: "stands_for") != nil { throw .standsForOthers }
        guard let text = original.string else { return nil }
        let value = text.withUTF8(scratch: OutputBuffer()) { Array($0) }
        guard reader.field(named: "original_message_encoding")?.string?.isEqual(to: "base64") == true else {
            return value
        }
        guard let decoded = value.withUnsafeBytes({ Base64.decode($0) }) else { throw .cut }
        return decoded
    }
}
