internal import YAML

/// An option or flag as the command line's parser sees it.
public protocol CommandOption: Sendable {
    /// Without the dashes.
    var name: String { get }
    var help: String { get }
    /// What the help calls the value; `nil` for a flag.
    var placeholder: String? { get }
    var isRequired: Bool { get }
    var isRepeated: Bool { get }
    /// The value if the option stands without one; `nil` where it must have one.
    var valueIfAlone: String? { get }
    /// Why a text is no value of the option.
    func problem(with text: String) -> String?
}

extension CommandOption {
    /// `--set KEY=VALUE`
    var usage: String {
        guard let placeholder else { return "--\(name)" }
        return valueIfAlone == nil ? "--\(name) \(placeholder)" : "--\(name) [\(placeholder)]"
    }
}

/// An option without a value.
public struct Flag: CommandOption {
    public let name: String
    public let help: String
    public var placeholder: String? { nil }
    public var isRequired: Bool { false }
    public var isRepeated: Bool { false }
    public var valueIfAlone: String? { nil }

    public init(_ name: String, help: String) {
        self.name = name
        self.help = help
    }

    public func problem(with text: String) -> String? { nil }
}

/// An option with a value of a setting's kind: `--name value` or `--name=value`.
public struct Option<Value: Sendable>: CommandOption {
    public let name: String
    public let help: String
    public let placeholder: String?
    public let isRequired: Bool
    public let isRepeated: Bool
    public let valueIfAlone: String?
    private let kind: SettingKind<Value>

    public init(
        _ name: String, _ placeholder: String, _ kind: SettingKind<Value>, isRequired: Bool = false,
        isRepeated: Bool = false, valueIfAlone: String? = nil, help: String
    ) {
        self.name = name
        self.placeholder = placeholder
        self.kind = kind
        self.isRequired = isRequired
        self.isRepeated = isRepeated
        self.valueIfAlone = valueIfAlone
        self.help = help
    }

    public func problem(with text: String) -> String? {
        let node = YAMLNode(.scalar(YAMLScalar(text)), at: YAMLMark(source: "--\(name)"))
        guard case .refused(let hint) = kind.parse(node) else { return nil }
        return "--\(name) \(kind.message(for: node, hint: hint))"
    }

    func value(_ text: String) -> Value? {
        let node = YAMLNode(.scalar(YAMLScalar(text)), at: YAMLMark(source: "--\(name)"))
        guard case .accepted(let value) = kind.parse(node) else { return nil }
        return value
    }
}
