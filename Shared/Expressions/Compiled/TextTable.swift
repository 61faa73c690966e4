import JSON

/// The entries of a map with string keys, found by the bytes of a key without making a string of them.
final class TextTable: @unchecked Sendable {
    // Never written after the initializer, so threads may share it.
    private let mask: Int
    /// Indices of entries by the hashes of their keys; -1 is a free place.
    private let places: UnsafeMutablePointer<Int32>
    private let keys: UnsafeMutablePointer<TextSlice>
    private let values: UnsafeMutablePointer<Value>
    /// The string values; nil for others.
    private let texts: UnsafeMutablePointer<TextSlice?>
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
        keys = .allocate(capacity: max(1, count))
        values = .allocate(capacity: max(1, count))
        texts = .allocate(capacity: max(1, count))
        var size = 8
        while size < count * 2 { size *= 2 }
        mask = size - 1
        places = .allocate(capacity: size)
        places.initialize(repeating: -1, count: size)
        var end = bytes
        for (index, entry) in map.entries.enumerated() {
            (values + index).initialize(to: entry.value)
            (keys + index).initialize(to: Self.copy(entry.key, to: &end) ?? TextSlice(bytes, 0))
            (texts + index).initialize(to: Self.copy(entry.value, to: &end))
            var place = Int(truncatingIfNeeded: keys[index].hash) & mask
            while places[place] >= 0 { place = (place + 1) & mask }
            places[place] = Int32(truncatingIfNeeded: index)
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
        places.deallocate()
        keys.deallocate()
        values.deinitialize(count: count)
        values.deallocate()
        texts.deallocate()
        bytes.deallocate()
    }

    /// The place of a key among the entries.
    @inline(__always)
    func find(_ key: TextSlice) -> Int? {
        var place = Int(truncatingIfNeeded: key.hash) & mask
        while true {
            let index = Int(places[place])
            if index < 0 { return nil }
            if keys[index] == key { return index }
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

    /// The entry's value if it is a decimal: read in place, for a copy of a value counts references.
    @inline(__always)
    func decimal(at index: Int) -> Decimal? {
        if case .decimal(let value) = values[index] { return value }
        return nil
    }
}
