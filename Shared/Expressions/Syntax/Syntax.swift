/// An expression as written, macros already expanded; names are not yet resolved.
struct Syntax: Sendable {
    indirect enum Kind: Sendable {
        case constant(Value)
        /// `.name` is absolute: the container does not apply.
        case name(String, isAbsolute: Bool)
        case select(Syntax, field: String, isOptional: Bool)
        /// `has(operand.field)`
        case presence(Syntax, field: String, isOptional: Bool)
        case call(String, receiver: Syntax?, arguments: [Syntax])
        case list([Element])
        case map([Entry])
        case message(String, isAbsolute: Bool, [Field])
        case and([Syntax])
        case or([Syntax])
        case conditional(Syntax, Syntax, Syntax)
        case comprehension(Comprehension)
        /// `cel.bind(name, value, body)`
        case bind(String, value: Syntax, body: Syntax)
        /// `optMap` and `optFlatMap`
        case optionalMap(Syntax, name: String, body: Syntax, isFlat: Bool)
    }

    struct Element: Sendable {
        let value: Syntax
        let isOptional: Bool
    }

    struct Entry: Sendable {
        let key: Syntax
        let value: Syntax
        let isOptional: Bool
    }

    struct Field: Sendable {
        let name: String
        let value: Syntax
        let isOptional: Bool
        let offset: Int
    }

    struct Comprehension: Sendable {
        let kind: ComprehensionKind
        /// One name, or two: index and element of a list, key and value of a map.
        let names: [String]
        let range: Syntax
        let filter: Syntax?
        let body: Syntax
    }

    let kind: Kind
    let offset: Int
    /// Levels of the tree: bounded, so that no later pass can exhaust the stack.
    let height: Int

    init(_ kind: Kind, offset: Int, height: Int) {
        self.kind = kind
        self.offset = offset
        self.height = height
    }
}

enum ComprehensionKind: Sendable {
    case all, exists, existsOne, map, filter, transformMap, transformMapEntry, sortBy
}

/// The names under which operators have their overloads.
enum Operator {
    static let not = "!_"
    static let negate = "-_"
    static let index = "_[_]"
    static let optionalIndex = "_[?_]"
    static let equal = "_==_"
    static let notEqual = "_!=_"
    static let contained = "@in"
}
