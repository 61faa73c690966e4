internal import JSON
internal import Patterns

/// Kinds of values as bits: those of ``JSONKind`` by their raw values, and one for numbers without a fraction.
struct KindSet: OptionSet {
    let rawValue: UInt8

    static let null = KindSet(.null)
    static let boolean: KindSet = [KindSet(.true), KindSet(.false)]
    static let number = KindSet(.number)
    static let string = KindSet(.string)
    static let array = KindSet(.array)
    static let object = KindSet(.object)
    static let integer = KindSet(rawValue: 1 << 7)
    static let any: KindSet = [null, boolean, number, string, array, object]

    @inline(__always)
    init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    @inline(__always)
    init(_ kind: JSONKind) {
        rawValue = 1 << kind.rawValue
    }

    static let names: [(name: String, kinds: KindSet)] = [
        ("null", null), ("boolean", boolean), ("integer", integer), ("number", number), ("string", string),
        ("array", array),
        ("object", object),
    ]
}

/// A schema, or a part of one, compiled: one flat structure of rules by kind of value, reached by pointers that count nothing.
///
/// All of it is written by the compiler, belongs to the ``Program``'s arena, and is only read afterwards.
struct SchemaNode {
    var kinds = KindSet.any
    /// The schema `false`.
    var refusesAll = false
    /// Whether there is nothing to check.
    var acceptsAll = false
    /// Whether there is nothing to check but `kinds`.
    var checksKindOnly = false
    /// The schema resource to which it belongs: what `$dynamicRef` looks through.
    var resource: Int32 = 0
    /// Its place in the schema, among the program's locations.
    var location: Int32 = 0

    var values: UnsafeMutablePointer<ValueRules>?
    var number: UnsafeMutablePointer<NumberRules>?
    var string: UnsafeMutablePointer<StringRules>?
    var array: UnsafeMutablePointer<ArrayRules>?
    var object: UnsafeMutablePointer<ObjectRules>?
    var applicators: UnsafeMutablePointer<ApplicatorRules>?
    var unevaluatedProperties: NodePointer?
    var unevaluatedItems: NodePointer?
}

typealias NodePointer = UnsafeMutablePointer<SchemaNode>

/// Memory that lives as long as the program, and a count.
struct NodeList {
    var start: UnsafeMutablePointer<NodePointer>
    var count: Int
}

/// `const` and `enum`.
struct ValueRules {
    var keyword: StaticString
    /// The strings among the values.
    var strings: TextTable?
    /// The values that are not strings.
    var others: UnsafeMutableBufferPointer<JSONValue>
    /// For the message.
    var description: String
}

/// `minimum`, `maximum`, `exclusiveMinimum`, `exclusiveMaximum`, `multipleOf`.
struct NumberRules {
    struct Bound {
        var keyword: StaticString
        var isLower: Bool
        var isExclusive: Bool
        var decimal: Decimal?
        var number: NumberText
        var text: String
    }

    /// The integers within all bounds, where those alone decide: one comparison each.
    var lowestInteger = Int64.min
    var highestInteger = Int64.max
    var boundsDecideIntegers = true
    var bounds: UnsafeMutableBufferPointer<Bound>
    var multipleOf: Decimal?
}

/// `minLength`, `maxLength`, `pattern`, `format`.
struct StringRules {
    var minimumLength = 0
    var maximumLength = Int.max
    var pattern: Unmanaged<Pattern>?
    var format: Format?
}

/// `prefixItems`, `items`, `contains`, `minItems`, `maxItems`, `uniqueItems`.
struct ArrayRules {
    var prefix: NodeList?
    var items: NodePointer?
    var contains: NodePointer?
    var minimumContained = 1
    var maximumContained = Int.max
    var minimumCount = 0
    var maximumCount = Int.max
    var isUnique = false
}

/// `properties`, `patternProperties`, `additionalProperties`, `propertyNames`, `required`, `minProperties`, `maxProperties`.
struct ObjectRules {
    struct Property {
        var name: UnsafeRawBufferPointer
        /// nil where the property is only required.
        var node: NodePointer?
        var isRequired: Bool
    }

    struct PatternProperty {
        var pattern: Unmanaged<Pattern>
        var node: NodePointer
    }

    var properties: UnsafeMutableBufferPointer<Property>
    var requiredCount = 0
    /// From names to places in `properties`.
    var names: TextTable
    /// Where the slots of the properties begin in a validator, if the rules can apply to the root of a record.
    var firstSlot: Int?
    var patterns: UnsafeMutableBufferPointer<PatternProperty>?
    var additional: NodePointer?
    var propertyNames: NodePointer?
    var minimumCount = 0
    var maximumCount = Int.max

    /// Whether the properties alone decide: the rest of an object need not be looked at, but for its count.
    var needsMembers: Bool { patterns != nil || propertyNames != nil }
}

/// The keywords that apply other schemas to the same value.
struct ApplicatorRules {
    struct Dependency {
        var name: UnsafeRawBufferPointer
        var required: UnsafeMutableBufferPointer<UnsafeRawBufferPointer>?
        var node: NodePointer?
    }

    var reference: NodePointer?
    /// For `$dynamicRef`: by schema resource, the node of the same dynamic anchor; nil where it has none.
    var dynamicReference: UnsafeMutableBufferPointer<NodePointer?>?
    var dynamicFallback: NodePointer?
    var all: NodeList?
    var any: NodeList?
    var one: NodeList?
    var not: NodePointer?
    var condition: NodePointer?
    var consequence: NodePointer?
    var alternative: NodePointer?
    var dependencies: UnsafeMutableBufferPointer<Dependency>?
}
