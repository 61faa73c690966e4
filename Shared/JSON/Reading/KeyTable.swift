internal import Glibc

/// The keys of top-level fields that a record knows: those declared, and those learned from records read.
///
/// Producers write the same keys in the same order, record after record. So each key remembers which one followed it last time, and
/// recognising the next key is two word comparisons against that one; hashing is for the rare surprise.
@usableFromInline
struct KeyTable {
    @usableFromInline
    @frozen
    struct Key {
        /// The first 16 bytes of the key and its closing quote, for comparison under the masks.
        @usableFromInline var word0: UInt64
        @usableFromInline var word1: UInt64
        @usableFromInline var mask0: UInt64
        @usableFromInline var mask1: UInt64
        /// The key's text; owned.
        @usableFromInline var text: UnsafeMutableRawPointer?
        @usableFromInline var count: UInt32
        /// The key that followed in the last record that had this one; 0 for none.
        @usableFromInline var next: UInt32
        /// The reading in which the key was last seen, and the node of its value there.
        @usableFromInline var generation: UInt32
        @usableFromInline var node: UInt32
        /// To 64 bytes: a key's place is then found by a shift.
        @usableFromInline let padding: UInt64 = 0

        init(words: (UInt64, UInt64), masks: (UInt64, UInt64), text: UnsafeMutableRawPointer?, count: Int) {
            (word0, word1) = words
            (mask0, mask1) = masks
            self.text = text
            self.count = UInt32(truncatingIfNeeded: count)
            next = 0
            generation = 0
            node = 0
        }
    }

    /// No key: never matches, and predicts the first key of a record by its `next`.
    static let none = 0

    /// Learned keys beyond this are forgotten, so that records with ever new keys cannot fill the memory.
    private static let learnedLimit = 256
    private static let lengthLimit = 128

    @usableFromInline internal private(set) var keys: UnsafeMutablePointer<Key>
    @usableFromInline internal private(set) var count = 1
    private var declaredCount = 1
    private var capacity = 64
    /// Open addressing over indexes into `keys`; 0 is free.
    private var index: UnsafeMutablePointer<UInt32>
    private var indexCapacity = 256
    private let seed = KeyHash.seed

    init() {
        keys = .allocate(capacity: capacity)
        index = .allocate(capacity: indexCapacity)
        index.initialize(repeating: 0, count: indexCapacity)
        // Under an empty mask nothing equals 1.
        keys.initialize(to: Key(words: (1, 1), masks: (0, 0), text: nil, count: 0))
    }

    func deallocate() {
        for position in 1..<count { keys[position].text?.deallocate() }
        keys.deallocate()
        index.deallocate()
    }

    /// Whether the text at `offset`, just after an opening quote, is the key and its closing quote.
    @inline(__always)
    static func matches(_ key: UnsafeMutablePointer<Key>, _ text: JSONText, at offset: Int) -> Bool {
        if offset &+ 16 > text.count { return matchesBytes(key, text, at: offset) }
        guard text.word(at: offset) & key.pointee.mask0 == key.pointee.word0,
            text.word(at: offset &+ 8) & key.pointee.mask1 == key.pointee.word1
        else { return false }
        return key.pointee.count < 16 || matchesBytes(key, text, at: offset)
    }

    /// The same for long keys, and near the end of the text, where words would reach too far.
    @inline(never)
    private static func matchesBytes(_ key: UnsafeMutablePointer<Key>, _ text: JSONText, at offset: Int) -> Bool {
        let count = Int(key.pointee.count)
        guard let known = key.pointee.text, offset &+ count < text.count,
            text[offset &+ count] == UInt8(ascii: "\""), key.pointee.mask0 != 0
        else { return false }
        return memcmp(text.base + offset, known, count) == 0
    }

    /// The key with these bytes; nil where it is not known.
    func find(_ base: UnsafeRawPointer, count: Int) -> Int? {
        var slot = Int(truncatingIfNeeded: KeyHash.hash(base, count: count, seed: seed)) & (indexCapacity &- 1)
        while true {
            let candidate = Int(index[slot])
            if candidate == KeyTable.none { return nil }
            if keys[candidate].count == UInt32(truncatingIfNeeded: count), let text = keys[candidate].text,
                memcmp(text, base, count) == 0
            {
                return candidate
            }
            slot = (slot &+ 1) & (indexCapacity &- 1)
        }
    }

    /// Declares a key for good and answers its index.
    mutating func declare(_ base: UnsafeRawPointer, count: Int) -> Int {
        // Declared keys come first, so that learned ones can be forgotten at once.
        forgetLearned()
        if let known = find(base, count: count) { return known }
        let key = add(base, count: count)
        declaredCount = self.count
        return key
    }

    /// Remembers a key of a record; nil where it is too long, or too many are known.
    mutating func learn(_ base: UnsafeRawPointer, count: Int) -> Int? {
        guard count <= KeyTable.lengthLimit, self.count &- declaredCount < KeyTable.learnedLimit else { return nil }
        return add(base, count: count)
    }

    /// Makes room where too many keys were learned; called between records.
    mutating func tidy() {
        if count &- declaredCount >= KeyTable.learnedLimit { forgetLearned() }
    }

    /// Takes back that keys were seen, when the number of readings wraps.
    func forgetGenerations() {
        for position in 0..<count { keys[position].generation = 0 }
    }

    private mutating func forgetLearned() {
        for position in declaredCount..<count { keys[position].text?.deallocate() }
        count = declaredCount
        index.update(repeating: 0, count: indexCapacity)
        for position in 0..<count {
            keys[position].next = 0
            if position > 0 { enter(position) }
        }
    }

    private mutating func add(_ base: UnsafeRawPointer, count: Int) -> Int {
        if self.count == capacity {
            let larger = UnsafeMutablePointer<Key>.allocate(capacity: capacity * 2)
            larger.moveInitialize(from: keys, count: self.count)
            keys.deallocate()
            keys = larger
            capacity *= 2
        }
        let text = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1), alignment: 1)
        text.copyMemory(from: base, byteCount: count)
        (keys + self.count).initialize(to: KeyTable.key(text, count: count))
        self.count += 1
        if self.count * 2 > indexCapacity {
            index.deallocate()
            indexCapacity *= 2
            index = .allocate(capacity: indexCapacity)
            index.initialize(repeating: 0, count: indexCapacity)
            for position in 1..<self.count { enter(position) }
        } else {
            enter(self.count - 1)
        }
        return self.count - 1
    }

    private func enter(_ position: Int) {
        guard let text = keys[position].text else { return }
        let hash = KeyHash.hash(text, count: Int(keys[position].count), seed: seed)
        var slot = Int(truncatingIfNeeded: hash) & (indexCapacity - 1)
        while index[slot] != 0 { slot = (slot + 1) & (indexCapacity - 1) }
        index[slot] = UInt32(position)
    }

    private static func key(_ text: UnsafeMutableRawPointer, count: Int) -> Key {
        var words: (UInt64, UInt64) = (0, 0)
        var masks: (UInt64, UInt64) = (0, 0)
        var isPlain = true
        for position in 0...count {
            let byte = position < count ? text.load(fromByteOffset: position, as: UInt8.self) : UInt8(ascii: "\"")
            if position < count, byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                isPlain = false
            }
            let shift = UInt64(position % 8 * 8)
            if position < 8 {
                words.0 |= UInt64(byte) << shift
                masks.0 |= 0xFF << shift
            } else if position < 16 {
                words.1 |= UInt64(byte) << shift
                masks.1 |= 0xFF << shift
            }
        }
        // A key that needs escapes never stands in a text as it is.
        if !isPlain { (words.0, masks.0) = (1, 0) }
        return Key(words: words, masks: masks, text: text, count: count)
    }
}
