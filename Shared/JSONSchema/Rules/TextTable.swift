internal import Glibc
internal import JSON

/// From short texts to small numbers: the keys of an object's properties, the strings of an enumeration.
///
/// A text up to 16 bytes is two words and its length, so that looking one up compares no bytes at all.
struct TextTable {
    struct Fingerprint: Equatable {
        let low: UInt64
        let high: UInt64
        let count: Int

        static let none = Fingerprint()

        private init() {
            low = 0
            high = 0
            count = 0
        }

        /// Words that overlap cover any length up to 16; of longer texts, both ends.
        @inline(__always)
        init(_ base: UnsafeRawPointer, count: Int) {
            func word(_ offset: Int) -> UInt64 { base.loadUnaligned(fromByteOffset: offset, as: UInt64.self) }
            func half(_ offset: Int) -> UInt64 { UInt64(base.loadUnaligned(fromByteOffset: offset, as: UInt32.self)) }
            func byte(_ offset: Int) -> UInt64 { UInt64(base.load(fromByteOffset: offset, as: UInt8.self)) }
            self.count = count
            if count >= 8 {
                low = word(0)
                high = word(count &- 8)
            } else if count >= 4 {
                low = half(0)
                high = half(count &- 4)
            } else if count > 0 {
                low = byte(0) | byte(count / 2) << 8 | byte(count &- 1) << 16
                high = 0
            } else {
                low = 0
                high = 0
            }
        }

        @inline(__always)
        var hash: Int {
            let mixed =
                (low ^ high &* 0x9E37_79B9_7F4A_7C15 ^ UInt64(truncatingIfNeeded: count)) &* 0xD6E8_FEB8_6659_FD93
            return Int(truncatingIfNeeded: mixed >> 32)
        }
    }

    private struct Entry {
        var fingerprint: Fingerprint
        var text: UnsafeMutableRawPointer?
        var number: Int32
    }

    /// Open addressing; a number below zero is free.
    private let entries: UnsafeMutablePointer<Entry>
    private let mask: Int

    /// Numbers the texts by their places in the array; of equal ones the first counts.
    init(_ texts: [[UInt8]]) {
        var capacity = 4
        while capacity < texts.count * 3 { capacity *= 2 }
        mask = capacity - 1
        entries = .allocate(capacity: capacity)
        entries.initialize(repeating: Entry(fingerprint: .none, text: nil, number: -1), count: capacity)
        for (number, text) in texts.enumerated() {
            let copy = UnsafeMutableRawPointer.allocate(byteCount: max(1, text.count), alignment: 1)
            text.withUnsafeBytes {
                if let source = $0.baseAddress { copy.copyMemory(from: source, byteCount: $0.count) }
            }
            insert(Entry(fingerprint: Fingerprint(copy, count: text.count), text: copy, number: Int32(number)))
        }
    }

    func deallocate() {
        for position in 0...mask where entries[position].number >= 0 { entries[position].text?.deallocate() }
        entries.deallocate()
    }

    private func insert(_ entry: Entry) {
        var position = entry.fingerprint.hash & mask
        while entries[position].number >= 0 {
            if let text = entry.text, isSame(entries[position], entry.fingerprint, text) {
                text.deallocate()
                return
            }
            position = (position + 1) & mask
        }
        entries[position] = entry
    }

    @inline(__always)
    private func isSame(_ entry: Entry, _ fingerprint: Fingerprint, _ text: UnsafeRawPointer) -> Bool {
        entry.fingerprint == fingerprint
            && (fingerprint.count <= 16 || entry.text.map { memcmp($0, text, fingerprint.count) == 0 } == true)
    }

    /// The number of a text; nil where it is not among them.
    @inline(__always)
    func number(_ text: UnsafeRawBufferPointer) -> Int? {
        guard let base = text.baseAddress else { return nil }
        let fingerprint = Fingerprint(base, count: text.count)
        var position = fingerprint.hash & mask
        while entries[position].number >= 0 {
            if isSame(entries[position], fingerprint, base) { return Int(entries[position].number) }
            position = (position &+ 1) & mask
        }
        return nil
    }
}
