/// A checked expression: names are resolved, constants folded. What the evaluator walks and the compiler reads.
final class Node: Sendable {
    indirect enum Operation: Sendable {
        case constant(Value)
        /// A variable that the caller sets.
        case variable(slot: Int, name: String)
        /// A variable of a comprehension or of `cel.bind`.
        case local(Int)
        /// A top-level field of the record.
        case field(RecordField)
        case record
        case hasField(RecordField)
        case select(Node, field: Text, isOptional: Bool)
        case presence(Node, field: Text)
        case call(Function, [Node])
        case list([Element])
        case map([Entry])
        case and([Node])
        case or([Node])
        case conditional(Node, Node, Node)
        case comprehension(Comprehension)
        case bind(local: Int, value: Node, body: Node)
        case optionalMap(Node, local: Int, body: Node, isFlat: Bool)
    }

    /// A top-level field of the record; `index` is its place among the declared ones, nil in a record of unknown fields.
    struct RecordField: Hashable, Sendable {
        let name: String
        let index: Int?
        let type: ValueType
    }

    struct Element: Sendable {
        let value: Node
        let isOptional: Bool
    }

    struct Entry: Sendable {
        let key: Node
        let value: Node
        let isOptional: Bool
    }

    struct Comprehension: Sendable {
        let kind: ComprehensionKind
        let range: Node
        /// The first of one or two locals.
        let local: Int
        let isPair: Bool
        let filter: Node?
        let body: Node
    }

    let operation: Operation
    /// Its place in the table of types.
    let id: Int
    let offset: Int

    init(_ operation: Operation, id: Int, offset: Int) {
        self.operation = operation
        self.id = id
        self.offset = offset
    }

    var constant: Value? {
        if case .constant(let value) = operation { return value }
        return nil
    }
}

/// A checked expression with what is needed to run it.
struct Program: Sendable {
    let root: Node
    /// The type of each node by its id, every type variable settled.
    let types: [ValueType]
    /// How many locals are alive at once at most.
    let localCount: Int
    /// The names of the variables and fields that it reads.
    let references: Set<String>

    func type(of node: Node) -> ValueType { types[node.id] }
}
