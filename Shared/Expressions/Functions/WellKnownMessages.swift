import JSON

/// Protobuf's well-known messages, which are values of the language: `google.protobuf.Int64Value{value: 5}` is 5.
struct WellKnownMessage: Sendable {
    struct Field: Sendable {
        let name: String
        let type: ValueType
        let initial: Value
    }

    let fields: [Field]
    let result: ValueType
    let constructor: Function

    private init(_ fields: [Field], _ result: ValueType, _ body: @escaping Function.Variadic) {
        self.fields = fields
        self.result = result
        constructor = Function("message", [], .variadic(body))
    }

    static let types: [String: WellKnownMessage] = {
        var types: [String: WellKnownMessage] = [:]
        func wrapper(_ name: String, _ type: ValueType, _ initial: Value) {
            types["google.protobuf." + name] = WellKnownMessage(
                [Field(name: "value", type: type, initial: initial)], .nullable(type)
            ) { (arguments, _) in arguments[0] }
        }
        wrapper("BoolValue", .bool, .bool(false))
        wrapper("BytesValue", .bytes, .bytes([]))
        wrapper("DoubleValue", .double, .double(0))
        wrapper("Int64Value", .int, .int(0))
        wrapper("StringValue", .string, .string(Text("")))
        wrapper("UInt64Value", .uint, .uint(0))
        types["google.protobuf.FloatValue"] = WellKnownMessage(
            [Field(name: "value", type: .double, initial: .double(0))], .nullable(.double)
        ) { (arguments, _) throws(EvaluationError) in
            guard case .double(let double) = arguments[0] else { throw .noSuchOverload("FloatValue", arguments[0]) }
            return .double(Double(Float(double)))
        }
        types["google.protobuf.Int32Value"] = WellKnownMessage(
            [Field(name: "value", type: .int, initial: .int(0))], .nullable(.int)
        ) { (arguments, _) throws(EvaluationError) in
            guard case .int(let int) = arguments[0] else { throw .noSuchOverload("Int32Value", arguments[0]) }
            guard Int32(exactly: int) != nil else { throw .overflow("Int32Value{value: \(int)}") }
            return .int(int)
        }
        types["google.protobuf.UInt32Value"] = WellKnownMessage(
            [Field(name: "value", type: .uint, initial: .uint(0))], .nullable(.uint)
        ) { (arguments, _) throws(EvaluationError) in
            guard case .uint(let uint) = arguments[0] else { throw .noSuchOverload("UInt32Value", arguments[0]) }
            guard UInt32(exactly: uint) != nil else { throw .overflow("UInt32Value{value: \(uint)u}") }
            return .uint(uint)
        }
        addTimes(&types)
        types["google.protobuf.Struct"] = WellKnownMessage(
            [Field(name: "fields", type: .map(key: .string, value: .dyn), initial: .map(ValueMap()))],
            .map(key: .string, value: .dyn)
        ) { (arguments, _) in arguments[0] }
        types["google.protobuf.ListValue"] = WellKnownMessage(
            [Field(name: "values", type: .list(.dyn), initial: .list([]))], .list(.dyn)
        ) { (arguments, _) in arguments[0] }
        addJSONValue(&types)
        return types
    }()

    private static func addTimes(_ types: inout [String: WellKnownMessage]) {
        let fields = [
            Field(name: "seconds", type: .int, initial: .int(0)), Field(name: "nanos", type: .int, initial: .int(0)),
        ]
        types["google.protobuf.Timestamp"] = WellKnownMessage(fields, .timestamp) {
            (arguments, _) throws(EvaluationError) in
            guard case .int(let seconds) = arguments[0], case .int(let nanos) = arguments[1],
                let nanoseconds = Int32(exactly: nanos)
            else { throw .noSuchOverload("Timestamp", arguments[0], arguments[1]) }
            return .timestamp(
                try FunctionLibrary.inRange(Instant(seconds: seconds, nanoseconds: nanoseconds)))
        }
        types["google.protobuf.Duration"] = WellKnownMessage(fields, .duration) {
            (arguments, _) throws(EvaluationError) in
            guard case .int(let seconds) = arguments[0], case .int(let nanos) = arguments[1] else {
                throw .noSuchOverload("Duration", arguments[0], arguments[1])
            }
            guard let total = Int64(exactly: Int128(seconds) * 1_000_000_000 + Int128(nanos)) else {
                throw .overflow("Duration{}")
            }
            return .duration(nanoseconds: total)
        }
    }

    /// `Value` is one of its fields: the one that is set.
    private static func addJSONValue(_ types: inout [String: WellKnownMessage]) {
        let unset = Value.optional(nil)
        let fields = [
            Field(name: "null_value", type: .dyn, initial: unset),
            Field(name: "number_value", type: .double, initial: unset),
            Field(name: "string_value", type: .string, initial: unset),
            Field(name: "bool_value", type: .bool, initial: unset),
            Field(name: "struct_value", type: .map(key: .string, value: .dyn), initial: unset),
            Field(name: "list_value", type: .list(.dyn), initial: unset),
        ]
        types["google.protobuf.Value"] = WellKnownMessage(fields, .dyn) { (arguments, _) in
            arguments.first { if case .optional = $0 { false } else { true } } ?? .null
        }
    }
}
