import Expressions
import JSONSchema
package import StreamKit
import StreamKitRules
package import StreamKitService

/// Lets through what fulfils a schema and rules, byte for byte; everything else becomes a dead letter.
@main package struct Validator: StreamService {
    package static let name = "validator"
    package static let about = "Lets through records that fulfil a JSON Schema and rules."

    private let input: ServiceInput
    private let declarations: RuleDeclarations
    private let rules: ValidationRules

    package init(_ settings: SettingsReader) {
        input = ServiceInput(settings)
        declarations = RuleDeclarations(settings)
        rules = ValidationRules(settings, declarations)
    }

    package func makeWatch() -> (@Sendable () -> any ServiceWatch)? { declarations.watch }

    package func declare(_ flow: Flow) {
        let declarations = declarations
        let rules = rules
        flow.source("records", topics: input.topics)
            .process("validate") { ValidateProcessor($0, declarations, rules) }
            .to("valid", rules.output)
    }
}

/// The `schema`, `rules`, `key` and `output` of the file.
struct ValidationRules: Sendable {
    /// A class, so that a turn of the loop over them counts one reference and not three.
    final class Rule: Sendable {
        let condition: Expression
        /// What a dead letter says where it is broken: the field and the rule.
        let text: String

        init(field: String, condition: Expression, message: String) {
            self.condition = condition
            text = "\(field): \(message)"
        }
    }

    let schema: JSONSchema?
    let rules: [Rule]
    /// nil: the key stays what it is.
    let key: Expression?
    let output: OutputTopics

    init(_ settings: SettingsReader, _ declarations: RuleDeclarations) {
        schema = SchemaSettings.schema(settings, "schema")
        key = declarations.compile(settings, "key", expecting: nil, isRequired: false)
        output = OutputTopics(settings, "output", declarations)
        rules = settings.sections("rules").compactMap { section in
            let field = section.required("field", .text)
            let message = section.required("message", .text)
            guard let condition = declarations.compile(section, "require", expecting: .bool) else { return nil }
            return Rule(field: field, condition: condition, message: message)
        }
        if schema == nil, rules.isEmpty, !settings.isPresent("schema") {
            settings.problem("schema", "is missing, and so are rules: nothing would be validated")
        }
    }

    var expressions: [Expression] { rules.map(\.condition) + (key.map { [$0] } ?? []) + output.expressions }
}
