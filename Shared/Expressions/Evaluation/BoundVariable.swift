/// A variable's value in the form in which it was bound; compiled code reads strings as bytes and maps by the bytes of keys.
struct BoundVariable {
    /// Nil for text that lives in the arena, and if nothing is bound.
    private let stored: Value?
    /// The bytes of a string.
    let text: TextSlice?
    /// An index over a map with string keys, built when the map is bound: reference data is read for every record and
    /// changes rarely.
    private let table: TextTable?
    /// The same without counting references.
    private let tableReference: Unmanaged<TextTable>?
    /// Keeps the bytes of a string alive.
    private let pinned: PinnedText?

    init(_ value: Value? = nil) {
        stored = value
        var table: TextTable?
        var pinned: PinnedText?
        switch value {
        case .map(let map)?: table = TextTable(map)
        case .string(let text)?: pinned = PinnedText(text.utf8)
        default: break
        }
        self.table = table
        tableReference = table.map { Unmanaged.passUnretained($0) }
        self.pinned = pinned
        text = pinned?.slice
    }

    /// Text that lives no longer than the record.
    init(text: TextSlice) {
        stored = nil
        self.text = text
        table = nil
        tableReference = nil
        pinned = nil
    }

    /// Looks a key up in a map with string keys: nil if there is no such map, otherwise what `body` makes of the table.
    @inline(__always)
    func withTable<T>(_ body: (TextTable) -> T) -> T? {
        tableReference?._withUnsafeGuaranteedRef { body($0) }
    }

    var value: Value? {
        stored ?? text.map { .string(Text(validUTF8: Array($0.bytes))) }
    }
}
