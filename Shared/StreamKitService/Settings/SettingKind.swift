public import YAML

/// What a setting may be: how it is read, what an error says it must be, how the effective value is shown.
public struct SettingKind<Value: Sendable>: Sendable {
    /// Completes "must be ...": `a duration from 1ms to 1m`.
    let expectation: String
    /// Stands in for a value that could not be read, until `SettingsDocument.read` throws; nobody computes with it.
    let placeholder: Value
    let isSecret: Bool
    let parse: @Sendable (YAMLNode) -> SettingOutcome<Value>
    let format: @Sendable (Value) -> String

    public init(
        _ expectation: String, placeholder: Value, isSecret: Bool = false,
        format: @escaping @Sendable (Value) -> String = { "\($0)" },
        parse: @escaping @Sendable (YAMLNode) -> SettingOutcome<Value>
    ) {
        self.expectation = expectation
        self.placeholder = placeholder
        self.isSecret = isSecret
        self.parse = parse
        self.format = format
    }

    func message(for node: YAMLNode, hint: String?) -> String {
        let found = isSecret && node.scalar != nil ? "what it is" : node.summary
        return "must be \(expectation), not \(found)" + (hint.map { "; \($0)" } ?? "")
    }
}

/// What reading one setting came to.
public enum SettingOutcome<Value> {
    case accepted(Value)
    /// Not what the kind expects; the hint, if there is one, says what to write instead.
    case refused(hint: String?)

    public static var refused: SettingOutcome { .refused(hint: nil) }
}

extension SettingKind {
    /// Reads any scalar's text; numbers and `true` are taken as written.
    static func scalar(
        _ expectation: String, placeholder: Value, isSecret: Bool = false,
        format: @escaping @Sendable (Value) -> String = { "\($0)" },
        parse: @escaping @Sendable (String) -> SettingOutcome<Value>
    ) -> SettingKind {
        SettingKind(expectation, placeholder: placeholder, isSecret: isSecret, format: format) { node in
            guard let scalar = node.scalar, scalar.resolved != .null else { return .refused }
            return parse(scalar.text)
        }
    }
}

extension SettingKind where Value == String {
    /// Any text but the empty one.
    public static var text: SettingKind {
        scalar("text", placeholder: "") { $0.isEmpty ? .refused(hint: "give at least one character") : .accepted($0) }
    }

    /// A name that Kafka accepts for topics: ASCII letters, digits, `.`, `_` and `-`, at most 249.
    public static var topicName: SettingKind { kafkaName("a topic name", longest: 249) }

    static func kafkaName(_ what: String, longest: Int) -> SettingKind {
        scalar("\(what) (letters, digits, '.', '_' and '-', at most \(longest))", placeholder: "") { text in
            let isLegal = text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
            return isLegal && !text.isEmpty && text.utf8.count <= longest && text != "." && text != ".."
                ? .accepted(text) : .refused
        }
    }
}

extension SettingKind where Value == Secret {
    /// Text that is never shown.
    public static var secret: SettingKind {
        scalar("text", placeholder: Secret(""), isSecret: true) { .accepted(Secret($0)) }
    }
}

extension SettingKind where Value == Bool {
    /// `true` or `false`; the words of YAML 1.1 (`yes`, `on`) are refused, not guessed at.
    public static var boolean: SettingKind {
        SettingKind("true or false", placeholder: false) { node in
            guard let scalar = node.scalar else { return .refused }
            switch scalar.resolved {
            case .boolean(let value): return .accepted(value)
            case .string:
                switch scalar.text.lowercased() {
                case "yes", "on", "y", "true": return .refused(hint: "write true, without quotes")
                case "no", "off", "n", "false": return .refused(hint: "write false, without quotes")
                default: return .refused
                }
            default: return .refused
            }
        }
    }
}

extension SettingKind where Value == Int {
    public static func integer(in range: ClosedRange<Int>) -> SettingKind {
        let expectation =
            range.upperBound == Int.max
            ? "a whole number of at least \(range.lowerBound)"
            : "a whole number from \(range.lowerBound) to \(range.upperBound)"
        return SettingKind(expectation, placeholder: range.lowerBound) { node in
            guard let scalar = node.scalar else { return .refused }
            guard case .integer(let value) = scalar.resolved else {
                let isQuoted = scalar.style != .plain && Int64(scalar.text) != nil
                return .refused(hint: isQuoted ? "remove the quotes" : nil)
            }
            guard let value = Int(exactly: value), range.contains(value) else { return .refused }
            return .accepted(value)
        }
    }

    /// A number of bytes with its unit: `512B`, `64KiB`, `10MB`.
    public static func byteSize(in range: ClosedRange<Int>) -> SettingKind {
        let bounds = "from \(ByteSize.format(range.lowerBound)) to \(ByteSize.format(range.upperBound))"
        return scalar("a size \(bounds)", placeholder: range.lowerBound, format: ByteSize.format) { text in
            switch ByteSize.parse(text) {
            case .success(let bytes): range.contains(bytes) ? .accepted(bytes) : .refused
            case .failure(let failure): .refused(hint: failure.hint)
            }
        }
    }
}

extension SettingKind where Value == Duration {
    /// A time span with its unit: `100ms`, `10s`, `5m`, `24h`, `7d`.
    public static func duration(in range: ClosedRange<Duration>) -> SettingKind {
        let bounds = "from \(DurationText.format(range.lowerBound)) to \(DurationText.format(range.upperBound))"
        return scalar("a duration \(bounds)", placeholder: range.lowerBound, format: DurationText.format) { text in
            switch DurationText.parse(text) {
            case .success(let duration): range.contains(duration) ? .accepted(duration) : .refused
            case .failure(let failure): .refused(hint: failure.hint)
            }
        }
    }
}

extension SettingKind where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// One of the words of an enumeration.
    ///
    /// - Parameter type: has at least one case; its first stands in for a word that is none of them.
    public static func word(_ type: Value.Type) -> SettingKind {
        let words = type.allCases.map(\.rawValue)
        let first = type.allCases[type.allCases.startIndex]
        return scalar(Prose.alternatives(words), placeholder: first, format: \.rawValue) { text in
            type.init(rawValue: text).map { .accepted($0) }
                ?? .refused(hint: Suggestion.nearest(to: text, among: words).map { "did you mean \($0)?" })
        }
    }
}

enum Prose {
    /// `a, b or c`.
    static func alternatives(_ words: [String]) -> String {
        guard let last = words.last, words.count > 1 else { return words.first ?? "" }
        return words.dropLast().joined(separator: ", ") + " or " + last
    }
}
