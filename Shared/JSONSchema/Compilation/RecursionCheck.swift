internal import JSON

/// Finds schemas that apply themselves to the same value for ever: `{"$ref": "#"}`.
struct RecursionCheck {
    private enum Mark {
        case open
        case done
    }

    private let program: Program
    private var marks: [NodePointer: Mark] = [:]

    init(_ program: Program) {
        self.program = program
    }

    /// Depth first; a node met again while still open lies on a circle.
    func run(from nodes: Dictionary<SchemaPlace, NodePointer>.Values, problems: inout [SchemaProblem]) {
        var check = self
        for node in nodes.sorted(by: { $0.pointee.location < $1.pointee.location }) { check.visit(node, &problems) }
    }

    private mutating func visit(_ start: NodePointer, _ problems: inout [SchemaProblem]) {
        var stack: [(node: NodePointer, next: [NodePointer])] = []
        func enter(_ node: NodePointer) {
            marks[node] = .open
            stack.append((node, InPlace.targets(of: node)))
        }
        guard marks[start] == nil else { return }
        enter(start)
        while let top = stack.last {
            guard let target = top.next.last else {
                marks[top.node] = .done
                stack.removeLast()
                continue
            }
            stack[stack.count - 1].next.removeLast()
            switch marks[target] {
            case .done: break
            case .open:
                problems.append(
                    SchemaProblem(
                        "the schema applies itself to the same value without end",
                        at: program.locations[Int(top.node.pointee.location)]))
            case nil: enter(target)
            }
        }
    }
}

/// The nodes that a node applies to its own value.
enum InPlace {
    static func targets(of node: NodePointer) -> [NodePointer] {
        guard let rules = node.pointee.applicators?.pointee else { return [] }
        var targets = [rules.reference, rules.not, rules.condition, rules.consequence, rules.alternative].compactMap {
            $0
        }
        // Where a dynamic reference leads is known only to a run, which has its own limit.
        if rules.dynamicReference == nil, let fallback = rules.dynamicFallback { targets.append(fallback) }
        for list in [rules.all, rules.any, rules.one] {
            guard let list else { continue }
            targets += UnsafeBufferPointer(start: list.start, count: list.count)
        }
        targets += rules.dependencies?.compactMap { $0.node } ?? []
        return targets
    }
}

/// Finds the rules that may apply to the root of a record: their properties are read by slot.
enum RootObjects {
    static func mark(_ program: Program) {
        var seen: Set<NodePointer> = []
        var pending = [program.root]
        var slots = 0
        while let node = pending.popLast() {
            guard seen.insert(node).inserted else { continue }
            if let object = node.pointee.object, object.pointee.firstSlot == nil {
                object.pointee.firstSlot = slots
                slots += object.pointee.properties.count
                program.rootObjects.append(object)
            }
            pending += InPlace.targets(of: node)
            pending += node.pointee.applicators?.pointee.dynamicReference?.compactMap { $0 } ?? []
        }
    }
}
