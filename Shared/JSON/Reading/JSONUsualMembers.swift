/// The members of a record as nearly all of them are: a key at its expected place, and a plain string or number without an exponent.
///
/// This loop calls nothing and throws nothing, so that its state stays in registers. Whatever is otherwise (another key, an
/// escape, a literal, an object, a fault, the last bytes) ends it, at the beginning of that member, and is left to
/// ``JSONRecord/scanRecord(_:at:)``: that is what defines the grammar, and where errors are told.
extension JSONRecord {
    /// Goes as far as members are usual.
    ///
    /// - Parameters:
    ///   - start: where a key is expected.
    ///   - firstNode: the node that this key will have.
    ///   - previous: the key before.
    /// - Returns: where the next key begins, or, at the end of the object, its closing brace; the next node; the last key.
    @inline(never)
    func scanUsualMembers(
        _ text: JSONText, at start: Int, firstNode: Int, after previous: UnsafeMutablePointer<KeyTable.Key>
    ) -> (position: Int, node: Int, previous: UnsafeMutablePointer<KeyTable.Key>, isAtEnd: Bool) {
        let (base, keys, generation) = (text.base, self.keys.keys, generation)
        let (nodes, count) = (nodes, text.count)
        let lastBlock = count &- 16
        var position = start
        var previous = previous
        var node = firstNode
        while position < count, text[position] == UInt8(ascii: "\"") {
            let key = keys + Int(previous.pointee.next)
            let keyCount = Int(key.pointee.count)
            guard keyCount <= JSONRecord.usualKeyLength, key.pointee.generation != generation else { break }
            if position < lastBlock {
                guard text.word(at: position &+ 1) & key.pointee.mask0 == key.pointee.word0,
                    text.word(at: position &+ 9) & key.pointee.mask1 == key.pointee.word1,
                    keyCount < 16 || JSONRecord.endMatches(key, text, at: position &+ 1)
                else { break }
            } else {
                guard keyCount < 16, let words = JSONRecord.lastWords(text, from: position &+ 1),
                    words.0 & key.pointee.mask0 == key.pointee.word0, words.1 & key.pointee.mask1 == key.pointee.word1
                else { break }
            }
            // A colon, a space or the value, the value or what follows it.
            let keyEnd = position &+ keyCount &+ 2
            guard keyEnd &+ 2 < count, text[keyEnd] == UInt8(ascii: ":") else { break }
            var value = keyEnd &+ 1
            if text[value] == UInt8(ascii: " ") { value &+= 1 }
            var end = value &+ 1
            if text[value] == UInt8(ascii: "\"") {
                while true {
                    guard end <= lastBlock else { return (position, node, previous, false) }
                    let hits = JSONRecord.specials(base + end)
                    if hits[0] != 0 {
                        end &+= hits[0].trailingZeroBitCount >> 3
                        break
                    }
                    if hits[1] != 0 {
                        end &+= 8 &+ hits[1].trailingZeroBitCount >> 3
                        break
                    }
                    end &+= 16
                }
                guard text[end] == UInt8(ascii: "\"") else { break }
                end &+= 1
                nodes[node &+ 1] = JSONNode(.string, value, end)
            } else {
                // A zero at the front would not be continued.
                guard text[value] &- 0x31 < 9 else { break }
                var flags: JSONFlags = []
                while end < count, text[end] &- 0x30 <= 9 { end &+= 1 }
                if end < count, text[end] == UInt8(ascii: ".") {
                    flags = .fraction
                    end &+= 1
                    guard end < count, text[end] &- 0x30 <= 9 else { break }
                    while end < count, text[end] &- 0x30 <= 9 { end &+= 1 }
                }
                nodes[node &+ 1] = JSONNode(.number, value, end, flags: flags)
            }
            guard end < count else { break }
            let separator = text[end]
            let isAtEnd = separator == UInt8(ascii: "}")
            guard isAtEnd || separator == UInt8(ascii: ",") else { break }
            nodes[node] = JSONNode(.string, position, keyEnd)
            key.pointee.generation = generation
            key.pointee.node = UInt32(truncatingIfNeeded: node &+ 1)
            previous = key
            node &+= 2
            if isAtEnd { return (end, node, previous, true) }
            position = end &+ 1
            if position < count, text[position] == UInt8(ascii: " ") { position &+= 1 }
        }
        return (position, node, previous, false)
    }

    /// Twice what the words of a key hold: the other half is compared from its end.
    private static let usualKeyLength = 32

    /// Whether the last 16 bytes of a key of at least so many, and its closing quote, stand in the text where the key begins at
    /// `offset`.
    @inline(__always)
    private static func endMatches(
        _ key: UnsafeMutablePointer<KeyTable.Key>, _ text: JSONText, at offset: Int
    ) -> Bool {
        let count = Int(key.pointee.count)
        guard let known = key.pointee.text, offset &+ count < text.count,
            text[offset &+ count] == UInt8(ascii: "\"")
        else { return false }
        let block = text.base.loadUnaligned(fromByteOffset: offset &+ count &- 16, as: SIMD2<UInt64>.self)
        return block == known.loadUnaligned(fromByteOffset: count &- 16, as: SIMD2<UInt64>.self)
    }

    /// The last bytes of a text from `offset` on, fewer than 16, in two words with zeros behind.
    @inline(__always)
    private static func lastWords(_ text: JSONText, from offset: Int) -> (UInt64, UInt64)? {
        let missing = offset &+ 16 &- text.count
        guard text.count >= 16, missing < 16 else { return nil }
        let last = UInt128(text.word(at: text.count &- 8)) << 64 | UInt128(text.word(at: text.count &- 16))
        let words = last &>> UInt128(truncatingIfNeeded: missing &* 8)
        return (UInt64(truncatingIfNeeded: words), UInt64(truncatingIfNeeded: words >> 64))
    }

    /// Of 16 bytes, the highest bit of each that is a quote, a backslash, a control character or not ASCII; in the order of memory, the
    /// first in the lowest bits.
    @inline(__always)
    private static func specials(_ bytes: UnsafeRawPointer) -> SIMD2<UInt64> {
        let block = bytes.loadUnaligned(as: SIMD16<UInt8>.self)
        // Exclusive or with 2 brings the quote next to the control characters: one comparison for both. Bytes above 0x7F hit
        // by themselves, so what the subtractions make of them is no matter.
        let quotes = (block ^ SIMD16(repeating: 0x02)) &- SIMD16(repeating: 0x21)
        let backslashes = (block ^ SIMD16(repeating: 0x5C)) &- SIMD16(repeating: 0x01)
        let hits = unsafeBitCast(
            (quotes | backslashes | block) & SIMD16(repeating: 0x80), to: SIMD2<UInt64>.self)
        return SIMD2(UInt64(littleEndian: hits[0]), UInt64(littleEndian: hits[1]))
    }
}
