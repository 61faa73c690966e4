/// What a child writes, cut into lines that say whose they are.
package struct PrefixedOutput {
    /// A line longer than this goes out in pieces.
    package static let lineBytesMax = 1 << 20

    private let prefix: [UInt8]
    private var unfinished: [UInt8] = []

    /// - Parameters:
    ///   - width: of the longest name, so that all lines begin in one column.
    ///   - color: of a terminal, as in `\u{1B}[32m`; nil for none.
    package init(name: String, width: Int, color: Int?) {
        let padded = name + String(repeating: " ", count: max(0, width - name.count))
        prefix = Array((color.map { "\u{1B}[\($0)m\(padded) |\u{1B}[0m " } ?? "\(padded) | ").utf8)
    }

    /// Takes bytes as they come; hands out the lines that they finish.
    package mutating func append(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        var lines: [UInt8] = []
        for byte in bytes {
            if byte != UInt8(ascii: "\n") { unfinished.append(byte) }
            if byte == UInt8(ascii: "\n") || unfinished.count >= Self.lineBytesMax { lines += finish() }
        }
        return lines
    }

    /// The last line, if it has no line feed.
    package mutating func end() -> [UInt8] {
        unfinished.isEmpty ? [] : finish()
    }

    private mutating func finish() -> [UInt8] {
        defer { unfinished.removeAll(keepingCapacity: true) }
        return prefix + unfinished + [UInt8(ascii: "\n")]
    }
}
