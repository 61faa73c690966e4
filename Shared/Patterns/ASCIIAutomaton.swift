/// A pattern as a table of states, for text that is all ASCII: one look-up a byte.
///
/// Thompson's construction, then subsets, at compile time. Patterns that need too many states, word boundaries or Unicode properties
/// have none and stay with RE2.
final class ASCIIAutomaton: Sendable {
    /// The next state by state and byte: 128 for each state. Written by `init` alone.
    private nonisolated(unsafe) let table: UnsafeMutablePointer<UInt8>
    /// Whether a text that ends in the state matches.
    private nonisolated(unsafe) let acceptsAtEnd: UnsafeMutablePointer<Bool>
    private let initial: UInt8

    init?(_ expression: PatternExpression) {
        guard let states = SubsetConstruction.run(expression) else { return nil }
        table = .allocate(capacity: states.rows.count * 128)
        acceptsAtEnd = .allocate(capacity: states.rows.count)
        for (number, row) in states.rows.enumerated() {
            for (byte, next) in row.next.enumerated() { table[number * 128 + byte] = UInt8(next) }
            acceptsAtEnd[number] = row.acceptsAtEnd
        }
        initial = UInt8(states.initial)
    }

    deinit {
        table.deallocate()
        acceptsAtEnd.deallocate()
    }

    var matcher: ASCIIMatcher { ASCIIMatcher(table, acceptsAtEnd, initial: initial) }
}

/// A pattern for text that is all ASCII, run without a call and counting no reference; good as long as its ``Pattern`` lives.
@frozen
public struct ASCIIMatcher {
    @usableFromInline let table: UnsafePointer<UInt8>
    @usableFromInline let acceptsAtEnd: UnsafePointer<Bool>
    @usableFromInline let initial: UInt8

    init(_ table: UnsafePointer<UInt8>, _ acceptsAtEnd: UnsafePointer<Bool>, initial: UInt8) {
        self.table = table
        self.acceptsAtEnd = acceptsAtEnd
        self.initial = initial
    }

    /// Whether the pattern matches anywhere in the text, whose bytes are all ASCII.
    @inlinable @inline(__always)
    public func matches(_ text: UnsafeRawBufferPointer) -> Bool {
        var state = initial
        // 0 rejects for good, 1 accepts for good.
        if state == 1 { return true }
        guard var byte = text.baseAddress else { return acceptsAtEnd[Int(state)] }
        let end = byte + text.count
        while byte < end {
            state = table[Int(state) << 7 | Int(byte.load(as: UInt8.self) & 0x7F)]
            if state <= 1 { return state == 1 }
            byte += 1
        }
        return acceptsAtEnd[Int(state)]
    }
}

/// From an expression to the rows of an automaton's table. Row 0 rejects for good, row 1 accepts for good.
struct SubsetConstruction {
    struct Row {
        var next: [Int]
        var acceptsAtEnd: Bool
    }

    private enum Node {
        case set(UInt64, UInt64, next: Int)
        case either(Int, Int)
        case start(next: Int)
        case end(next: Int)
        case match
    }

    private static let maximumNodes = 2_000
    private static let maximumRows = 128

    private var nodes: [Node] = [.match]
    private(set) var rows: [Row] = []
    private(set) var initial = 0
    private var numbers: [[Int]: Int] = [:]

    static func run(_ expression: PatternExpression) -> SubsetConstruction? {
        var construction = SubsetConstruction()
        guard let start = construction.node(expression, then: 0) else { return nil }
        return construction.build(from: start) ? construction : nil
    }

    // MARK: Nodes

    private mutating func add(_ node: Node) -> Int? {
        guard nodes.count < SubsetConstruction.maximumNodes else { return nil }
        nodes.append(node)
        return nodes.count - 1
    }

    /// The node at which the expression begins; nil where it has no place in such a table.
    private mutating func node(_ expression: PatternExpression, then next: Int) -> Int? {
        switch expression {
        case .empty: return next
        case .start: return add(.start(next: next))
        case .end: return add(.end(next: next))
        case .wordBoundary, .notWordBoundary: return nil
        case .set(let set):
            var bits: (UInt64, UInt64) = (0, 0)
            for ascii in 0..<UInt32(128) {
                guard let belongs = set.contains(ascii: ascii) else { return nil }
                if belongs { if ascii < 64 { bits.0 |= 1 << ascii } else { bits.1 |= 1 << (ascii - 64) } }
            }
            return add(.set(bits.0, bits.1, next: next))
        case .sequence(let parts):
            var first = next
            for part in parts.reversed() {
                guard let node = node(part, then: first) else { return nil }
                first = node
            }
            return first
        case .alternatives(let branches):
            var first: Int?
            for branch in branches.reversed() {
                guard let node = node(branch, then: next) else { return nil }
                guard let joined = first.map({ add(.either(node, $0)) }) ?? node else { return nil }
                first = joined
            }
            return first
        case .repetition(let part, let minimum, let maximum):
            return repetition(part, minimum, maximum, then: next)
        }
    }

    private mutating func repetition(_ part: PatternExpression, _ minimum: Int, _ maximum: Int?, then next: Int) -> Int?
    {
        var first = next
        if let maximum {
            guard maximum <= SubsetConstruction.maximumNodes else { return nil }
            for _ in minimum..<maximum {
                guard let body = node(part, then: first), let optional = add(.either(body, next)) else { return nil }
                first = optional
            }
        } else {
            guard let loop = add(.match), let body = node(part, then: loop) else { return nil }
            nodes[loop] = .either(body, next)
            first = loop
        }
        guard minimum <= SubsetConstruction.maximumNodes else { return nil }
        for _ in 0..<minimum {
            guard let body = node(part, then: first) else { return nil }
            // A part without a node of its own is the same however often.
            if body == first { break }
            first = body
        }
        return first
    }

    // MARK: Rows

    /// The nodes reached without reading a byte, those of interest: sets, ends and the match.
    private func closure(_ seeds: [Int], atStart: Bool, atEnd: Bool) -> [Int] {
        var seen = Set<Int>()
        var pending = seeds
        var result: [Int] = []
        while let index = pending.popLast() {
            guard seen.insert(index).inserted else { continue }
            switch nodes[index] {
            case .either(let one, let other): pending += [one, other]
            case .start(let next): if atStart { pending.append(next) }
            case .end(let next):
                if atEnd { pending.append(next) }
                result.append(index)
            case .set, .match: result.append(index)
            }
        }
        return result.sorted()
    }

    /// The bytes in groups between which no set of the expression tells a difference.
    private func bytesAlike() -> [[Int]] {
        var groups: [[Bool]: [Int]] = [:]
        for byte in 0..<128 {
            let signature = nodes.map { node -> Bool in
                guard case .set(let low, let high, _) = node else { return false }
                return (byte < 64 ? low >> UInt64(byte) : high >> UInt64(byte - 64)) & 1 == 1
            }
            groups[signature, default: []].append(byte)
        }
        return Array(groups.values)
    }

    private mutating func build(from start: Int) -> Bool {
        rows = [
            Row(next: Array(repeating: 0, count: 128), acceptsAtEnd: false),
            Row(next: Array(repeating: 1, count: 128), acceptsAtEnd: true),
        ]
        // A search may begin anywhere: the nodes at which it would are always among those reached.
        let restart = closure([start], atStart: false, atEnd: false)
        let first = closure([start], atStart: true, atEnd: false)
        let alike = bytesAlike()
        var pending: [(row: Int, nodes: [Int])] = []
        if first.contains(0) {
            initial = 1
            return true
        }
        // The first row alone knows the start of the text, so it is never shared.
        initial = rows.count
        rows.append(row(first, atStart: true))
        pending.append((initial, first))
        while let (number, reached) = pending.popLast() {
            for bytes in alike {
                let byte = bytes[0]
                let seeds = reached.compactMap { index -> Int? in
                    guard case .set(let low, let high, let next) = nodes[index] else { return nil }
                    return (byte < 64 ? low >> UInt64(byte) : high >> UInt64(byte - 64)) & 1 == 1 ? next : nil
                }
                let target = closure(seeds + restart, atStart: false, atEnd: false)
                if target.isEmpty { continue }
                if target.contains(0) {
                    for byte in bytes { rows[number].next[byte] = 1 }
                    continue
                }
                if let known = numbers[target] {
                    for byte in bytes { rows[number].next[byte] = known }
                    continue
                }
                guard rows.count < SubsetConstruction.maximumRows else { return false }
                let fresh = rows.count
                numbers[target] = fresh
                rows.append(row(target, atStart: false))
                for byte in bytes { rows[number].next[byte] = fresh }
                pending.append((fresh, target))
            }
        }
        return true
    }

    private func row(_ reached: [Int], atStart: Bool) -> Row {
        Row(
            next: Array(repeating: 0, count: 128),
            acceptsAtEnd: closure(reached, atStart: atStart, atEnd: true).contains(0))
    }
}
