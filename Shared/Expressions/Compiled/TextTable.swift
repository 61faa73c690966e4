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
        return TextSlice(start, text.utf8.count, isPlain: text.utf8.withUnsafeBytes { OutputBuffer.isPlain($0) })
    }

    deinit {
        index.deallocate(count: count)
        bytes.deallocate()
    }

    /// The entry of a key.
    @inline(__always)
    func find(_ key: TextSlice) -> TextIndex.Entry? { index.find(key) }
}

/// A table's memory, read without counting references: good as long as the ``TextTable`` lives.
struct TextIndex {
    typealias Entry = UnsafePointer<Place>

    /// What a key leads to, all of it in one place.
    struct Place {
        fileprivate var fingerprint = TextFingerprint()
        /// The entry's number; -1 of a free place.
        fileprivate var number = -1
        /// The value if it is a string, and if it is a decimal: a copy of a value counts references.
        fileprivate(set) var text: TextSlice?
        fileprivate(set) var decimal: Decimal?
    }

    private let mask: Int
    /// By the hashes of the keys.
    private let places: UnsafeMutablePointer<Place>
    private let keys: UnsafeMutablePointer<TextSlice>
    private let values: UnsafeMutablePointer<Value>

    fileprivate init(count: Int, size: Int) {
        mask = size - 1
        places = .allocate(capacity: size)
        places.initialize(repeating: Place(), count: size)
        keys = .allocate(capacity: max(1, count))
        values = .allocate(capacity: max(1, count))
    }

    fileprivate func enter(_ number: Int, _ key: TextSlice, _ value: Value, text: TextSlice?) {
        (keys + number).initialize(to: key)
        (values + number).initialize(to: value)
        var decimal: Decimal?
        if case .decimal(let value) = value { decimal = value }
        let fingerprint = key.fingerprint
        var place = fingerprint.hash & mask
        while places[place].number >= 0 { place = (place + 1) & mask }
        places[place] = Place(fingerprint: fingerprint, number: number, text: text, decimal: decimal)
    }

    fileprivate func deallocate(count: Int) {
        places.deallocate()
        keys.deallocate()
        values.deinitialize(count: count)
        values.deallocate()
    }

    /// The entry of a key.
    @inline(__always)
    func find(_ key: TextSlice) -> Entry? {
        let fingerprint = key.fingerprint
        var position = fingerprint.hash & mask
        while true {
            let place = places + position
            let number = place.pointee.number
            if number < 0 { return nil }
            if place.pointee.fingerprint == fingerprint,
                key.count <= TextFingerprint.exactLength || keys[number] == key
            {
                return Entry(place)
            }
            position = (position &+ 1) & mask
        }
    }

    @inline(__always)
    func value(of entry: Entry) -> Value { values[entry.pointee.number] }
}
