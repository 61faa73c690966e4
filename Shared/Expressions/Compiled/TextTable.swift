import JSON

/// The entries of a map with string keys, found by the bytes of a key without making a string of them.
final class TextTable: @unchecked Sendable {
    // Never written after the initializer, so threads may share it.
    let index: TextIndex
    private let count: Int
    /// All keys and string values, one after the other.
    private let bytes: UnsafeMutableRawPointer

    /// Nil if the map has other keys than strings.
    init?(_ map: ValueMap) {
        var byteCount = 0
        for (key, value) in map.entries {
            guard case .string(let text) = key else { return nil }
            byteCount += text.utf8.count
            if case .string(let text) = value { byteCount += text.utf8.count }
        }
        count = map.count
        bytes = .allocate(byteCount: max(1, byteCount), alignment: 8)
        var size = 8
        while size < count * 2 { size *= 2 }
        let index = TextIndex(count: count, size: size)
        self.index = index
        var end = bytes
        for (number, entry) in map.entries.enumerated() {
            let key = Self.copy(entry.key, to: &end) ?? TextSlice(bytes, 0)
            index.enter(number, key, entry.value, text: Self.copy(entry.value, to: &end))
        }
    }

    /// Copies a string to `end`, which moves behind it.
    private static func copy(_ value: Value, to end: inout UnsafeMutableRawPointer) -> TextSlice? {
        guard case .string(let text) = value else { return nil }
        let start = end
        text.utf8.withUnsafeBytes { source in
            if let base = source.baseAddress { start.copyMemory(from: base, byteCount: source.count) }
        }
        end += text.utf8.count
        return TextSlice(start, text.utf8.count)
    }

    deinit {
        index.deallocate(count: count)
        bytes.deallocate()
    }

    /// The place of a key among the entries.
    @inline(__always)
    func find(_ key: TextSlice) -> Int? { index.find(key) }
}

/// A table's memory, read without counting references: good as long as the ``TextTable`` lives.
struct TextIndex {
    private struct Place {
        var fingerprint: TextFingerprint
        /// The entry's number; -1 of a free place.
        var number: Int
    }

    private let mask: Int
    /// By the hashes of the keys.
    private let places: UnsafeMutablePointer<Place>
    private let keys: UnsafeMutablePointer<TextSlice>
    private let values: UnsafeMutablePointer<Value>
    /// The values that are strings or decimals: a copy of a value counts references.
    private let texts: UnsafeMutablePointer<TextSlice?>
    private let decimals: UnsafeMutablePointer<Decimal?>

    fileprivate init(count: Int, size: Int) {
        mask = size - 1
        places = .allocate(capacity: size)
        places.initialize(repeating: Place(fingerprint: TextFingerprint(), number: -1), count: size)
        keys = .allocate(capacity: max(1, count))
        values = .allocate(capacity: max(1, count))
        texts = .allocate(capacity: max(1, count))
        decimals = .allocate(capacity: max(1, count))
    }

    fileprivate func enter(_ number: Int, _ key: TextSlice, _ value: Value, text: TextSlice?) {
        (keys + number).initialize(to: key)
        (values + number).initialize(to: value)
        (texts + number).initialize(to: text)
        var decimal: Decimal?
        if case .decimal(let value) = value { decimal = value }
        (decimals + number).initialize(to: decimal)
        let fingerprint = key.fingerprint
        var place = fingerprint.hash & mask
        while places[place].number >= 0 { place = (place + 1) & mask }
        places[place] = Place(fingerprint: fingerprint, number: number)
    }

    fileprivate func deallocate(count: Int) {
        places.deallocate()
        keys.deallocate()
        values.deinitialize(count: count)
        values.deallocate()
        texts.deallocate()
        decimals.deallocate()
    }

    /// The place of a key among the entries.
    @inline(__always)
    func find(_ key: TextSlice) -> Int? {
        let fingerprint = key.fingerprint
        var place = fingerprint.hash & mask
        while true {
            let number = places[place].number
            if number < 0 { return nil }
            if places[place].fingerprint == fingerprint,
                key.count <= TextFingerprint.exactLength || keys[number] == key
            {
                return number
            }
            place = (place &+ 1) & mask
        }
    }

    enum Found {
        case missing
        case text(TextSlice)
        /// A value that is no string.
        case other
    }

    /// The string value of a key.
    @inline(__always)
    func lookUp(_ key: TextSlice) -> Found {
        guard let index = find(key) else { return .missing }
        return texts[index].map { .text($0) } ?? .other
    }

    @inline(__always)
    func value(at index: Int) -> Value { values[index] }

    /// The entry's value if it is a decimal.
    @inline(__always)
    func decimal(at index: Int) -> Decimal? { decimals[index] }
}
