/// A variable's value and, for maps with string keys, an index over their bytes.
struct BoundVariable {
    let value: Value?
    /// Built when the value is bound: reference data is read for every record and changed rarely.
    let table: TextTable?

    init(_ value: Value? = nil) {
        self.value = value
        if case .map(let map)? = value { table = TextTable(map) } else { table = nil }
    }
}
