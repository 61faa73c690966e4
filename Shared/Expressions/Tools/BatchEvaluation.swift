public import JSON

/// One question and one answer of `streamctl eval --batch`, each a JSON object on a line of its own.
///
/// The question: `{"expr": source, "vars": {name: type}, "bindings": {name: value}, "container": namespace}`; all but `expr`
/// may be missing. A binding is plain JSON, read by the type declared for its name, or typed, `{"type": "int", "value": "5"}`.
/// Names that are bound but not declared are dyn. The answer: `{"value": V}` with a typed V, or `{"error": message}`.
public struct BatchEvaluation {
    private let question = JSONRecord()

    public init() {}

    /// Appends the answer, without a line feed.
    public func answer(_ line: UnsafeRawBufferPointer, into output: OutputBuffer) {
        let writer = JSONWriter(output)
        writer.beginObject()
        do {
            let value = try evaluate(line)
            writer.key("value")
            TypedValue.write(value, to: writer)
        } catch {
            writer.key("error")
            writer.string(error.message)
        }
        writer.endObject()
    }

    private struct Failure: Error {
        let message: String
    }

    private func evaluate(_ line: UnsafeRawBufferPointer) throws(Failure) -> Value {
        do { try question.read(line) } catch { throw Failure(message: "the line is not JSON: \(error)") }
        guard let source = question.field(named: "expr")?.string?.string else {
            throw Failure(message: "'expr' must be a string")
        }
        var environment = Environment()
        environment.container = question.field(named: "container")?.string?.string ?? ""
        try declare(in: &environment)
        let expression: Expression
        do { expression = try environment.compile(source) } catch { throw Failure(message: error.description) }
        let context = EvaluationContext(environment)
        if let bindings = question.field(named: "bindings"), !bindings.isNull {
            for (key, json) in bindings.members {
                let name = key.string
                let type = environment.variables[name]?.type ?? .dyn
                guard let value = TypedValue.read(json, as: type) else {
                    throw Failure(message: "the binding of '\(name)' is not a value of type \(type)")
                }
                context.set(name, value)
            }
        }
        do { return try expression.evaluate(in: context) } catch { throw Failure(message: error.description) }
    }

    private func declare(in environment: inout Environment) throws(Failure) {
        if let variables = question.field(named: "vars"), !variables.isNull {
            guard variables.kind == .object else { throw Failure(message: "'vars' must be an object") }
            for (key, json) in variables.members {
                guard let name = json.string?.string, let type = ValueType(name) else {
                    let given = String(decoding: json.bytes.prefix(80), as: UTF8.self)
                    throw Failure(message: "'vars': the type of '\(key.string)' is unknown: \(given)")
                }
                environment.declare(key.string, type)
            }
        }
        if let bindings = question.field(named: "bindings"), !bindings.isNull {
            guard bindings.kind == .object else { throw Failure(message: "'bindings' must be an object") }
            for (key, _) in bindings.members where environment.variables[key.string] == nil {
                environment.declare(key.string, .dyn)
            }
        }
    }
}
