internal import CLibrdkafka

/// Properties that librdkafka refuses: all of them at once.
public struct KafkaConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    public struct Problem: Hashable, Sendable {
        public let property: String
        public let reason: String

        public init(property: String, reason: String) {
            self.property = property
            self.reason = reason
        }
    }

    public let problems: [Problem]

    public init(problems: [Problem]) {
        self.problems = problems
    }

    public var description: String {
        problems.map { "\($0.property): \($0.reason)" }.joined(separator: "; ")
    }
}

/// A client's properties, checked by librdkafka itself. Whoever makes a client of it takes it over.
public struct KafkaConfiguration: ~Copyable {
    let pointer: OpaquePointer

    /// - Parameter properties: set in order, so that a later value replaces an earlier one.
    public init(_ properties: [(name: String, value: String)]) throws(KafkaConfigurationError) {
        let pointer: OpaquePointer = rd_kafka_conf_new()
        var problems: [KafkaConfigurationError.Problem] = []
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { text in
            for (name, value) in properties {
                let result = rd_kafka_conf_set(pointer, name, value, text.baseAddress, text.count)
                if result == RD_KAFKA_CONF_OK { continue }
                let said = text.baseAddress.map { String(cString: $0) } ?? ""
                // librdkafka quotes the value that it refuses.
                let reason = Self.isSecret(name) ? "not a valid value (it is secret and not shown)" : said
                problems.append(.init(property: name, reason: result == RD_KAFKA_CONF_UNKNOWN ? said : reason))
            }
        }
        if !problems.isEmpty {
            rd_kafka_conf_destroy(pointer)
            throw KafkaConfigurationError(problems: problems)
        }
        self.pointer = pointer
    }

    private init(pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit { rd_kafka_conf_destroy(pointer) }

    /// The value in force, default or set; nil if it has none or this librdkafka does not know the property.
    public borrowing func value(of property: String) -> String? {
        var size = 0
        guard rd_kafka_conf_get(pointer, property, nil, &size) == RD_KAFKA_CONF_OK, size > 0 else { return nil }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: size) { text in
            guard let base = text.baseAddress, rd_kafka_conf_get(pointer, property, base, &size) == RD_KAFKA_CONF_OK
            else { return nil }
            return String(cString: base)
        }
    }

    public borrowing func copy() -> KafkaConfiguration {
        KafkaConfiguration(pointer: rd_kafka_conf_dup(pointer))
    }

    /// Hands the properties to a client, which owns them from then on.
    consuming func take() -> OpaquePointer {
        let taken = pointer
        discard self
        return taken
    }

    /// Whether the librdkafka that runs has a property of this name.
    public static func isKnown(_ property: String) -> Bool {
        let scratch: OpaquePointer = rd_kafka_conf_new()
        defer { rd_kafka_conf_destroy(scratch) }
        var size = 0
        return rd_kafka_conf_get(scratch, property, nil, &size) != RD_KAFKA_CONF_UNKNOWN
    }

    /// Whether a property's value must never be shown.
    public static func isSecret(_ property: String) -> Bool {
        property.hasSuffix("password") || property.hasSuffix("secret") || property.hasSuffix(".pem")
            || property == "sasl.oauthbearer.config" || property == "ssl_key"
    }
}
