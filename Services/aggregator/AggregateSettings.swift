import Expressions
import JSON
import StreamKit
import StreamKitRules
import StreamKitService

/// The `aggregates:` of the file: what is kept of a group's records, and how it is written.
struct AggregateSettings: Sendable {
    /// A member of the result.
    enum Column: Sendable {
        case count(function: Int)
        case value(function: Int, scale: Int?)
        /// A sum divided by the count.
        case average(sum: Int, count: Int, scale: Int)
    }

    private(set) var columns: [(name: String, column: Column)] = []
    private(set) var functions: [AggregateFunction] = []
    /// By function: the name and expression of what it takes; nil for counts.
    private(set) var operands: [(name: String, expression: Expression)?] = []

    init(_ settings: SettingsReader, _ declarations: RuleDeclarations) {
        // Function 0 counts: every group needs it, shown or not.
        functions = [.count]
        operands = [nil]
        let sections = settings.namedSections("aggregates")
        for (name, section) in sections { read(name, section, declarations) }
        if sections.isEmpty { settings.problem("aggregates", "is missing; must be a mapping of names to aggregates") }
    }

    private mutating func read(_ name: String, _ section: SettingsReader, _ declarations: RuleDeclarations) {
        let kinds = ["count", "sum", "average", "minimum", "maximum"].filter { section.isPresent($0) }
        guard kinds.count == 1, let kind = kinds.first else {
            return section.problem("", "must have one of count, sum, average, minimum, maximum")
        }
        let scale = kind == "count" ? nil : section.optional("scale", .integer(in: 0...12))
        switch kind {
        case "count":
            if !section.required("count", .boolean) { section.problem("count", "must be true") }
            columns.append((name, .count(function: 0)))
        case "average":
            guard let sum = add(.sum, name, section, kind, declarations) else { return }
            columns.append((name, .average(sum: sum, count: 0, scale: scale ?? 2)))
        default:
            guard let function = AggregateFunction(rawValue: kind),
                let number = add(function, name, section, kind, declarations)
            else { return }
            columns.append((name, .value(function: number, scale: scale)))
        }
    }

    /// The number of a function; one that is there already serves both.
    private mutating func add(
        _ function: AggregateFunction, _ name: String, _ section: SettingsReader, _ key: String,
        _ declarations: RuleDeclarations
    ) -> Int? {
        guard let expression = declarations.compile(section, key, expecting: .decimal) else { return nil }
        let known = functions.indices.first {
            functions[$0] == function && operands[$0]?.expression.sourceText == expression.sourceText
        }
        if let known { return known }
        functions.append(function)
        operands.append(("aggregates.\(name)", expression))
        return functions.count - 1
    }

    /// Writes the columns of a result.
    func write(_ values: [Decimal?], to writer: JSONWriter) {
        for (name, column) in columns {
            writer.key(name)
            switch column {
            case .count(let function):
                writer.decimal(Self.value(values, function) ?? .zero)
            case .value(let function, let scale):
                write(Self.value(values, function), scale, to: writer)
            case .average(let sum, let count, let scale):
                guard let sum = Self.value(values, sum), let count = Self.value(values, count), !count.isZero else {
                    writer.null()
                    continue
                }
                write(try? sum.divided(by: count, scale: scale, rounding: .halfEven), scale, to: writer)
            }
        }
    }

    private func write(_ value: Decimal?, _ scale: Int?, to writer: JSONWriter) {
        guard let value else { return writer.null() }
        let rounded = scale.flatMap { try? value.rounded(scale: $0, mode: .halfEven) } ?? value
        writer.string(rounded.description)
    }

    private static func value(_ values: [Decimal?], _ index: Int) -> Decimal? {
        values.indices.contains(index) ? values[index] : nil
    }
}
