/// The entries of a map with string keys, found by the bytes of a key without making a string of them.
final class TextTable: @unchecked Sendable {
    // Never written after the initializer, so threads may share it.
    private let mask: Int
    private let places: UnsafeMutablePointer<Int32>
    private let keys: [PinnedText]
    private let slices: UnsafeMutablePointer<TextSlice>
    private let values: UnsafeMutablePointer<Value>
    private let count: Int
    /// The string values, pinned.
    private let texts: UnsafeMutablePointer<TextSlice?>
    private let pinned: [PinnedText?]

    /// Nil if the map has other keys than strings.
    init?(_ map: ValueMap) {
        var keys: [PinnedText] = []
        for (key, _) in map.entries {
            guard case .string(let text) = key else { return nil }
            keys.append(PinnedText(text.utf8))
        }
        self.keys = keys
        count = map.count
        values = .allocate(capacity: max(1, map.count))
        for (index, entry) in map.entries.enumerated() { (values + index).initialize(to: entry.value) }
        pinned = map.entries.map { if case .string(let text) = $0.value { PinnedText(text.utf8) } else { nil } }
        texts = .allocate(capacity: max(1, map.count))
        for (index, text) in pinned.enumerated() { (texts + index).initialize(to: text?.slice) }
        var size = 8
        while size < keys.count * 2 { size *= 2 }
        mask = size - 1
        places = .allocate(capacity: size)
        places.initialize(repeating: -1, count: size)
        slices = .allocate(capacity: max(1, keys.count))
        for (index, key) in keys.enumerated() {
            (slices + index).initialize(to: key.slice)
            var place = Int(truncatingIfNeeded: key.slice.hash) & mask
            while places[place] >= 0 { place = (place + 1) & mask }
            places[place] = Int32(truncatingIfNeeded: index)
        }
    }

    deinit {
        places.deallocate()
        values.deinitialize(count: count)
        values.deallocate()
        texts.deallocate()
        slices.deallocate()
    }

    /// The place of a key among the entries.
    @inline(__always)
    func find(_ key: TextSlice) -> Int? {
        var place = Int(truncatingIfNeeded: key.hash) & mask
        while true {
            let index = Int(places[place])
            if index < 0 { return nil }
            if slices[index] == key { return index }
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
}
