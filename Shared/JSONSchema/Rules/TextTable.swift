internal import Glibc
internal import JSON

/// From short texts to small numbers: the keys of an object's properties, the strings of an enumeration.
///
/// Compared are fingerprints: no bytes at all of a text up to 16.
struct TextTable {
    private struct Entry {
        var fingerprint: TextFingerprint
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
        entries.initialize(repeating: Entry(fingerprint: TextFingerprint(), text: nil, number: -1), count: capacity)
        for (number, text) in texts.enumerated() {
            let copy = UnsafeMutableRawPointer.allocate(byteCount: max(1, text.count), alignment: 1)
            text.withUnsafeBytes {
                if let source = $0.baseAddress { copy.copyMemory(from: source, byteCount: $0.count) }
            }
            insert(Entry(fingerprint: TextFingerprint(copy, count: text.count), text: copy, number: Int32(number)))
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
    private func isSame(_ entry: Entry, _ fingerprint: TextFingerprint, _ text: UnsafeRawPointer) -> Bool {
        entry.fingerprint == fingerprint
            && (fingerprint.count <= TextFingerprint.exactLength
                || entry.text.map { memcmp($0, text, fingerprint.count) == 0 } == true)
    }

    /// The number of a text; nil where it is not among them.
    @inline(__always)
    func number(_ text: UnsafeRawBufferPointer) -> Int? {
        guard let base = text.baseAddress else { return nil }
        let fingerprint = TextFingerprint(base, count: text.count)
        var position = fingerprint.hash & mask
        while entries[position].number >= 0 {
            if isSame(entries[position], fingerprint, base) { return Int(entries[position].number) }
            position = (position &+ 1) & mask
        }
        return nil
    }
}
