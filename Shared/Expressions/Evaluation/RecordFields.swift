import JSON

/// Fields of the record for the general evaluator, which knows what to say where they are missing.
extension EvaluationContext {
    func fieldValue(_ field: Node.RecordField) throws(EvaluationError) -> Value {
        guard let json = try json(field) else {
            let place = field.path.isEmpty ? "the record" : "the object"
            throw EvaluationError(
                .noSuchField, "\(place) has no field '\(field.description)' (no such key)", field: field.description)
        }
        return try value(of: json, as: field.type, path: field.description)
    }

    /// Whether the field is there. Within an object that is not there itself, that is an error.
    func hasField(_ field: Node.RecordField) throws(EvaluationError) -> Bool {
        try json(field) != nil
    }

    func recordValue() throws(EvaluationError) -> Value {
        try value(of: record.root, as: .map(key: .string, value: .dyn), path: "the record")
    }

    /// The field's JSON; nil if the object that should hold it does not.
    private func json(_ field: Node.RecordField) throws(EvaluationError) -> JSONValue? {
        guard let parent = field.parent, let member = field.path.last else {
            return record.field(named: field.name)
        }
        guard let object = try json(parent) else {
            throw EvaluationError(
                .noSuchField, "the record has no field '\(parent.description)' (no such key)", field: parent.description
            )
        }
        guard object.kind == .object else {
            guard parent.type.isDynamic else { throw Self.mismatch(object, parent.type, parent.description) }
            throw EvaluationError(
                .noSuchOverload,
                "no such overload: '\(parent.description)' is \(Self.described(object)), which has no field '\(member)'",
                field: parent.description)
        }
        return object.member(member)
    }
}
