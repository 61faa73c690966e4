internal import JSON

/// A value's text, short enough for a message.
enum Excerpt {
    private static let maximumLength = 60
    private static let maximumCount = 20

    static func of(_ value: JSONValue) -> String {
        let text = String(decoding: value.bytes, as: UTF8.self)
        let isShort = text.utf8.count <= maximumLength || text.count <= maximumLength
        return isShort ? text : String(text.prefix(maximumLength)) + "…"
    }

    static func of(_ values: [JSONValue]) -> String {
        values.prefix(maximumCount).map { of($0) }.joined(separator: ", ") + (values.count > maximumCount ? ", …" : "")
    }
}

/// What violations say: the field, the rule, and what is there instead.
enum Message {
    /// How many alternatives that refuse a value are explained, and by how many reasons each.
    static let maximumAlternatives = 8
    static let maximumReasons = 3

    static func kind(_ kinds: KindSet, of value: JSONValue, _ name: String) -> String {
        var wanted = ""
        for known in KindSet.names where kinds.isSuperset(of: known.kinds) {
            if !wanted.isEmpty { wanted += " or " }
            wanted += known.name
        }
        return "\(name) must be of type \(wanted), but is \(Excerpt.of(value))"
    }

    static func values(_ rules: ValueRules, of value: JSONValue, _ name: String) -> String {
        let isOne = "\(rules.keyword)" == "const"
        return "\(name) must be \(isOne ? "" : "one of ")\(rules.description), but is \(Excerpt.of(value))"
    }

    static func bound(_ bound: NumberRules.Bound, of value: JSONValue, _ name: String) -> String {
        let relation: String
        switch (bound.isLower, bound.isExclusive) {
        case (true, false): relation = "at least"
        case (true, true): relation = "greater than"
        case (false, false): relation = "at most"
        case (false, true): relation = "less than"
        }
        return "\(name) must be \(relation) \(bound.text), but is \(Excerpt.of(value))"
    }

    static func multiple(of divisor: Decimal, _ value: JSONValue, _ name: String) -> String {
        "\(name) must be a multiple of \(divisor), but is \(Excerpt.of(value))"
    }

    static func length(atLeast minimum: Int, _ length: Int, _ name: String) -> String {
        "\(name) must have at least \(minimum) characters, but has \(length)"
    }

    static func length(atMost maximum: Int, _ length: Int, _ name: String) -> String {
        "\(name) must have at most \(maximum) characters, but has \(length)"
    }

    static func pattern(_ pattern: String, _ value: JSONValue, _ name: String) -> String {
        "\(name) must match \(pattern), but is \(Excerpt.of(value))"
    }

    static func format(_ format: Format, _ value: JSONValue, _ name: String) -> String {
        "\(name) must be a \(format.rawValue), but is \(Excerpt.of(value))"
    }

    static func missing(_ field: UnsafeRawBufferPointer, _ pointer: String) -> String {
        let path = pointer.isEmpty ? "" : String(pointer.dropFirst()) + "/"
        return "\(path)\(String(decoding: field, as: UTF8.self)) is required"
    }
}
