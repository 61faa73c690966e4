internal import JSON
public import Kafka

/// Which records of a topic are counted together, and what of them is shown: `TOPIC`, `TOPIC:FIELD` or
/// `TOPIC:FIELD:SHOWN,SHOWN`.
public struct TallySpecification: Equatable, Sendable {
    public let topic: String
    /// The JSON field whose values are counted; nil counts all records together.
    let field: String?
    /// The fields that are shown of the latest record; the whole value if empty.
    let shown: [String]

    /// Nil if the text is no specification.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard (1...3).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }) else { return nil }
        topic = parts[0]
        field = parts.count > 1 ? parts[1] : nil
        shown = parts.count > 2 ? parts[2].split(separator: ",").map(String.init) : []
    }
}

/// Counts records of topics, by the values of a field, and keeps the latest of each.
public final class TopicTally {
    private static let valuesMax = 100
    private static let other = "(other)"
    private static let none = "(none)"

    private let specifications: [TallySpecification]
    private var tallies: [String: Tally] = [:]
    private let reader = JSONRecord(duplicateKeys: .lastWins)

    private struct Tally {
        var total = 0
        var values: [String: Row] = [:]
    }

    private struct Row {
        var count = 0
        var latest = ""
    }

    public init(_ specifications: [TallySpecification]) {
        self.specifications = specifications
    }

    public func add(_ record: ConsumedRecord, of partition: TopicPartition) {
        add(record.value, topic: partition.topic)
    }

    func add(_ value: UnsafeRawBufferPointer?, topic: String) {
        tallies[topic, default: Tally()].total += 1
        guard let specification = specifications.first(where: { $0.topic == topic }), let field = specification.field
        else { return }
        let isReadable = value.map { (try? reader.read($0)) != nil && reader.root.kind == .object } ?? false
        var name = isReadable ? text(field) ?? Self.none : Self.none
        let tally = tallies[topic] ?? Tally()
        if tally.values[name] == nil, tally.values.count >= Self.valuesMax { name = Self.other }
        let output = OutputBuffer()
        if !isReadable || specification.shown.isEmpty {
            EscapedText.append(value, to: output)
        } else {
            for (index, field) in specification.shown.enumerated() {
                if index > 0 { output.append("  " as StaticString) }
                Array((text(field) ?? "").utf8).withUnsafeBytes { EscapedText.append($0, to: output) }
            }
        }
        tallies[topic]?.values[name, default: Row()].count += 1
        tallies[topic]?.values[name]?.latest = String(decoding: output.bytes, as: UTF8.self)
        reader.clear()
    }

    /// A string's text, another value's JSON.
    private func text(_ field: String) -> String? {
        guard let value = reader.field(named: field) else { return nil }
        return value.string?.string ?? String(decoding: value.bytes, as: UTF8.self)
    }

    /// Each topic's count, and below it each value's with the latest record, no line longer than the terminal is wide.
    public func text(width: Int = .max) -> String {
        let nameWidth = specifications.map(\.topic.count).max() ?? 0
        let valueWidth = min(32, tallies.values.flatMap(\.values.keys).map(\.count).max() ?? 0)
        var lines: [String] = []
        for specification in specifications {
            let tally = tallies[specification.topic] ?? Tally()
            lines.append(
                Self.pad(specification.topic, nameWidth) + "  " + Self.pad("\(tally.total)", 9, isRight: true))
            for (value, row) in tally.values.sorted(by: { ($1.value.count, $0.key) < ($0.value.count, $1.key) }) {
                lines.append(
                    "    " + Self.pad(value, valueWidth) + "  " + Self.pad("\(row.count)", 7, isRight: true) + "  "
                        + row.latest)
            }
        }
        return lines.map { ($0.count > width ? String($0.prefix(max(0, width - 1))) + "…" : $0) + "\n" }.joined()
    }

    private static func pad(_ text: String, _ width: Int, isRight: Bool = false) -> String {
        let space = String(repeating: " ", count: max(0, width - text.count))
        return isRight ? space + text : text + space
    }
}
