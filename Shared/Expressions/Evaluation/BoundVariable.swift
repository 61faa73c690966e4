/// A variable's value in the form in which it was bound; compiled code reads strings as bytes and maps by the bytes of keys.
struct BoundVariable {
    /// Nil for text that lives in the arena, and if nothing is bound.
    private let stored: Value?
    /// The bytes of a string.
    var text: TextSlice?
    /// Whether there is nothing but text that lives no longer than the record: it is replaced without counting references.
    let isTextOfRecord: Bool
    /// An index over a map with string keys, built when the map is bound: reference data is read for every record and
    /// changes rarely. Read without counting references.
    let index: TextIndex?
    /// What keeps the index alive.
    private let table: TextTable?
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
        index = table?.index
        self.pinned = pinned
        text = pinned?.slice
        isTextOfRecord = false
    }

    /// Text that lives no longer than the record.
    init(text: TextSlice) {
        stored = nil
        self.text = text
        isTextOfRecord = true
        index = nil
        table = nil
        pinned = nil
    }

    var value: Value? {
        stored ?? text.map { .string(Text(validUTF8: Array($0.bytes))) }
    }
}
