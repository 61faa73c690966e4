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

    /// A field of the record, or one within an object that a field is: read without making values of what is around it.
    struct RecordField: Hashable, Sendable {
        /// The top-level field.
        let name: String
        /// Its place in the layout.
        let place: Int
        /// The names that lead from there to the value.
        let path: [String]
        /// The type of the top-level field and of what each name leads to.
        private let types: [ValueType]

        init(name: String, place: Int, type: ValueType) {
            self.init(name: name, place: place, path: [], types: [type])
        }

        private init(name: String, place: Int, path: [String], types: [ValueType]) {
            self.name = name
            self.place = place
            self.path = path
            self.types = types
        }

        var type: ValueType { types.last ?? .dyn }

        /// How messages call it: `address.city`.
        var description: String { ([name] + path).joined(separator: ".") }

        /// A field of this one.
        func appending(_ member: String, _ type: ValueType) -> RecordField {
            RecordField(name: name, place: place, path: path + [member], types: types + [type])
        }

        /// What the last name selects from; nil for a top-level field.
        var parent: RecordField? {
            guard !path.isEmpty else { return nil }
            return RecordField(name: name, place: place, path: path.dropLast(), types: types.dropLast())
        }
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
    let needs: Needs
    /// The names of the variables and fields that it reads.
    let references: Set<String>

    func type(of node: Node) -> ValueType { types[node.id] }
}
