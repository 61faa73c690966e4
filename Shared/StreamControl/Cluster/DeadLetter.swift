internal import JSON
public import Kafka

/// A dead letter as its headers and its value tell it.
public struct DeadLetter: Equatable, Sendable {
    let kind: DeadLetterKind
    let message: String
    /// Topic, partition and offset of the original.
    let origin: String
    let key: String
    let refusedAt: String

    /// `SCHEMA_VIOLATION`, say; `-` if it does not tell.
    public var reason: String { kind.reason }

    /// Ends with a line feed.
    public var line: String { "\(refusedAt) \(kind.stage) \(kind.reason) \(origin) \(key) \(message)\n" }
}

/// What dead letters are counted by, and put back by.
struct DeadLetterKind: Hashable, Comparable, Sendable {
    /// The service that refused it; `-` if it does not tell.
    let stage: String
    /// Why; `-` if it does not tell.
    let reason: String

    static func < (left: DeadLetterKind, right: DeadLetterKind) -> Bool {
        (left.stage, left.reason) < (right.stage, right.reason)
    }
}

/// Reads dead letters, of ours or of others that use the same headers.
public final class DeadLetterReader {
    private let reader = JSONRecord(duplicateKeys: .lastWins)

    public init() {}

    public func read(_ record: ConsumedRecord) -> DeadLetter {
        var isReadable = false
        if let value = record.value { isReadable = (try? reader.read(value)) != nil && reader.root.kind == .object }
        defer { reader.clear() }
        func field(_ name: String) -> String? {
            guard isReadable, let text = reader.field(named: name)?.string?.string else { return nil }
            return Array(text.utf8).withUnsafeBytes(escaped)
        }
        func header(_ name: String) -> String? {
            for family in ["__streams.errors.", "__connect.errors."] {
                if let value = record.headers?.last(family + name) { return escaped(value) }
            }
            return nil
        }
        let origin = header("topic").map { "\($0)-\(header("partition") ?? "?")@\(header("offset") ?? "?")" }
        return DeadLetter(
            kind: DeadLetterKind(
                stage: header("stage") ?? "-", reason: field("error_type") ?? header("exception") ?? "-"),
            message: field("error_message") ?? header("message") ?? header("exception.message") ?? "-",
            origin: origin ?? "-",
            key: record.key.map(escaped) ?? "null", refusedAt: field("error_timestamp") ?? "-")
    }

    private func escaped(_ bytes: UnsafeRawBufferPointer) -> String {
        let output = OutputBuffer()
        EscapedText.append(bytes, to: output)
        return String(decoding: output.bytes, as: UTF8.self)
    }
}

/// How many dead letters there are of each stage and reason.
public struct DeadLetterCounts {
    private var rows: [DeadLetterKind: (count: Int, latest: String)] = [:]

    public init() {}

    public mutating func add(_ letter: DeadLetter) {
        rows[letter.kind] = ((rows[letter.kind]?.count ?? 0) + 1, letter.message)
    }

    private var sorted: [(kind: DeadLetterKind, count: Int, latest: String)] {
        rows.map { ($0.key, $0.value.count, $0.value.latest) }
            .sorted { ($0.kind.stage, $1.count, $0.kind.reason) < ($1.kind.stage, $0.count, $1.kind.reason) }
    }

    public var text: String {
        var table = TextTable([.left("STAGE"), .left("REASON"), .right("COUNT"), .left("LATEST")])
        for row in sorted { table.add([row.kind.stage, row.kind.reason, "\(row.count)", row.latest]) }
        return table.text
    }

    /// One object a line.
    public var json: String {
        let output = OutputBuffer()
        let writer = JSONWriter(output)
        for row in sorted {
            writer.beginObject()
            writer.key("stage")
            writer.string(row.kind.stage)
            writer.key("reason")
            writer.string(row.kind.reason)
            writer.key("count")
            writer.integer(Int64(row.count))
            writer.key("latest")
            writer.string(row.latest)
            writer.endObject()
            output.append(UInt8(ascii: "\n"))
        }
        return String(decoding: output.bytes, as: UTF8.self)
    }
}
