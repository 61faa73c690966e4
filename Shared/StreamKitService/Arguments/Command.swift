internal import YAML

/// A program's command line, declared: its options, its positional arguments, its subcommands. Parsing, `--help`, `--version`
/// and the errors follow from the declaration.
///
///     let instances = Option("instances", "N", .integer(in: 1...16), help: "Instances of each service.")
///     let command = Command("up", about: "Runs a pipeline.", options: [instances], positionals: [.init("DIR", help: "...")])
///     if case .run(let arguments) = try command.parse(CommandLine.arguments.dropFirst()) { arguments[instances] }
public struct Command: Sendable {
    public struct Positional: Sendable {
        let name: String
        let help: String
        let isRequired: Bool
        let isRepeated: Bool

        /// - Parameter isRepeated: takes all that is left; of the last one only.
        public init(_ name: String, help: String, isRequired: Bool = true, isRepeated: Bool = false) {
            self.name = name
            self.help = help
            self.isRequired = isRequired
            self.isRepeated = isRepeated
        }

        var usage: String {
            (isRequired ? name : "[\(name)]") + (isRepeated ? "..." : "")
        }
    }

    public let name: String
    let about: String
    let version: String?
    let options: [any CommandOption]
    let positionals: [Positional]
    let subcommands: [Command]
    let footer: String

    /// - Parameter footer: stands at the end of the help, as it is.
    public init(
        _ name: String, about: String, version: String? = nil, options: [any CommandOption] = [],
        positionals: [Positional] = [], subcommands: [Command] = [], footer: String = ""
    ) {
        self.name = name
        self.about = about
        self.version = version
        self.options = options
        self.positionals = positionals
        self.subcommands = subcommands
        self.footer = footer
    }

    /// What a command line asks for.
    public enum Request {
        case run(Arguments)
        /// Text for standard output, then the program ends well.
        case show(String)
    }

    /// - Parameter words: the command line without the program's name.
    public func parse(_ words: some Sequence<String>) throws(UsageError) -> Request {
        try parse(Array(words)[...], path: [name])
    }

    /// Whether a word asks for an option. A number below zero does not, nor does an expression that begins with a minus.
    private static func isOption(_ word: String) -> Bool {
        if word.hasPrefix("--") { return true }
        guard word.hasPrefix("-"), let second = word.dropFirst().first else { return false }
        return second.isLetter && !word.contains(" ")
    }

    private func parse(_ words: ArraySlice<String>, path: [String]) throws(UsageError) -> Request {
        var rest = words
        var given: [String: [String]] = [:]
        var values: [String] = []
        func refusal(_ message: String) -> UsageError {
            UsageError(message: message, command: path.joined(separator: " "))
        }
        while let word = rest.popFirst() {
            if word == "--" {
                values += rest
                break
            }
            if word == "--help" || word == "-h" { return .show(help(path)) }
            if word == "--version", let version { return .show("\(name) \(version)\n") }
            if Self.isOption(word) {
                let (option, value) = try option(word, &rest, refusal)
                if let value { if let problem = option.problem(with: value) { throw refusal(problem) } }
                if given[option.name] != nil, !option.isRepeated { throw refusal("--\(option.name) is given twice") }
                given[option.name, default: []].append(value ?? "")
            } else if !subcommands.isEmpty, values.isEmpty {
                guard let subcommand = subcommands.first(where: { $0.name == word }) else {
                    let advice = Suggestion.nearest(to: word, among: subcommands.map(\.name))
                    throw refusal("\(word) is no command" + (advice.map { "; did you mean \($0)?" } ?? ""))
                }
                return try subcommand.parse(rest, path: path + [word])
            } else {
                values.append(word)
            }
        }
        if !subcommands.isEmpty {
            throw refusal("a command is missing: \(Prose.alternatives(subcommands.map(\.name)))")
        }
        if let missing = options.first(where: { $0.isRequired && given[$0.name] == nil }) {
            throw refusal("\(missing.usage) is missing")
        }
        let takesRest = positionals.last?.isRepeated ?? false
        if values.count > positionals.count, !takesRest {
            throw refusal("unexpected argument \(values[positionals.count])")
        }
        for positional in positionals.dropFirst(values.count) where positional.isRequired {
            throw refusal("\(positional.name) is missing")
        }
        var named: [String: [String]] = [:]
        for (index, value) in values.enumerated() {
            named[positionals[min(index, positionals.count - 1)].name, default: []].append(value)
        }
        return .run(Arguments(path: path, given: given, positionals: named))
    }

    private func option(
        _ word: String, _ rest: inout ArraySlice<String>, _ refusal: (String) -> UsageError
    ) throws(UsageError) -> (any CommandOption, value: String?) {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        guard let option = options.first(where: { "--\($0.name)" == name }) else {
            let known = options.map { "--\($0.name)" } + ["--help"] + (version == nil ? [] : ["--version"])
            let advice = Suggestion.nearest(to: name, among: known)
            throw refusal("unknown option \(name)" + (advice.map { "; did you mean \($0)?" } ?? ""))
        }
        if parts.count == 2 {
            guard option.placeholder != nil else { throw refusal("\(name) takes no value") }
            return (option, String(parts[1]))
        }
        guard option.placeholder != nil else { return (option, nil) }
        if let valueIfAlone = option.valueIfAlone {
            // The next word is the value only if it can be nothing else.
            guard let next = rest.first, option.problem(with: next) == nil else { return (option, valueIfAlone) }
            return (option, rest.removeFirst())
        }
        guard let next = rest.first, !next.hasPrefix("--") else {
            throw refusal("\(name) needs a value: \(option.usage)")
        }
        return (option, rest.removeFirst())
    }
}

/// What was given on a command line, checked.
public struct Arguments {
    /// The program's name and the subcommand's.
    public let path: [String]
    private let given: [String: [String]]
    private let positionals: [String: [String]]

    init(path: [String], given: [String: [String]], positionals: [String: [String]]) {
        self.path = path
        self.given = given
        self.positionals = positionals
    }

    public subscript(flag: Flag) -> Bool { given[flag.name] != nil }

    public subscript<Value>(option: Option<Value>) -> Value? { all(option).last }

    /// Every value of an option that may be repeated, in the order given.
    public func all<Value>(_ option: Option<Value>) -> [Value] {
        (given[option.name] ?? []).compactMap(option.value)
    }

    public func positional(_ name: String) -> String? { positionals[name]?.first }

    /// Every value of a positional argument that may be repeated.
    public func positionals(_ name: String) -> [String] { positionals[name] ?? [] }
}

/// Why a command line was refused.
public struct UsageError: Error, Equatable, CustomStringConvertible {
    public let message: String
    /// The command whose help tells more.
    public let command: String

    public init(message: String, command: String) {
        self.message = message
        self.command = command
    }

    public var description: String { "\(command): \(message)\nTry '\(command) --help'." }
}
