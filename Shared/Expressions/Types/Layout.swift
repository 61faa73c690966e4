import Synchronization

/// The places of variables and of the record's fields: an environment and its copies share one, so that an expression of any
/// of them finds its way in a context of any other. It only ever grows.
final class Layout: Sendable {
    private struct Names {
        private(set) var all: [String] = []
        private var places: [String: Int] = [:]

        mutating func place(of name: String) -> Int {
            if let known = places[name] { return known }
            places[name] = all.count
            all.append(name)
            return all.count - 1
        }
    }

    private let variables = Mutex(Names())
    private let fields = Mutex(Names())

    /// The place of a variable, which it gets if it has none yet.
    func variable(_ name: String) -> Int { variables.withLock { $0.place(of: name) } }

    /// How many fields have places; contexts look at it for each record.
    private let knownFieldCount = Atomic<Int>(0)

    var fieldCount: Int { knownFieldCount.load(ordering: .relaxed) }

    /// The place of a top-level field of the record, which it gets if it has none yet.
    func field(_ name: String) -> Int {
        fields.withLock { fields in
            let place = fields.place(of: name)
            knownFieldCount.store(fields.all.count, ordering: .relaxed)
            return place
        }
    }

    var variableNames: [String] { variables.withLock { $0.all } }
    var fieldNames: [String] { fields.withLock { $0.all } }
}

/// What an expression needs of a context; compiled code relies on it.
struct Needs: Sendable {
    /// The layout that its places are of.
    let layout: Layout
    /// One more than the greatest place that it reads.
    let variableCount: Int
    let fieldCount: Int
    /// How many locals are alive at once at most.
    let localCount: Int
}
