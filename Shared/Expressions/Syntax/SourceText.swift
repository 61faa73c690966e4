/// A place in an expression, both numbers counted from 1; the column counts characters, not bytes.
public struct SourceLocation: Hashable, Sendable, CustomStringConvertible {
    public let line: Int
    public let column: Int

    public var description: String { "\(line):\(column)" }
}

/// The text of one expression. Offsets in syntax trees are byte offsets into it.
struct SourceText: Sendable {
    let utf8: [UInt8]

    init(_ source: String) {
        utf8 = Array(source.utf8)
    }

    func location(at offset: Int) -> SourceLocation {
        let (line, start) = lineStart(of: offset)
        return SourceLocation(line: line, column: characters(from: start, to: min(offset, utf8.count)) + 1)
    }

    /// Of a longer line, as many bytes before and after the place are shown.
    private static let excerptReach = 120

    /// The line that holds the offset and, under it, a caret at the offset.
    func excerpt(at offset: Int) -> String {
        var (_, start) = lineStart(of: offset)
        var end = utf8[start...].firstIndex(of: UInt8(ascii: "\n")) ?? utf8.count
        // Only whole characters.
        if offset - start > Self.excerptReach {
            start = offset - Self.excerptReach
            while start < offset, utf8[start] & 0xC0 == 0x80 { start += 1 }
        }
        if end - offset > Self.excerptReach {
            end = offset + Self.excerptReach
            while end > offset, utf8[end] & 0xC0 == 0x80 { end -= 1 }
        }
        let line = String(decoding: utf8[start..<end], as: UTF8.self)
        // Tabs stay tabs, so that the caret stands under its character whatever a tab's width is.
        let indent = utf8[start..<max(start, min(offset, end))].compactMap { byte -> String? in
            byte == UInt8(ascii: "\t") ? "\t" : (byte & 0xC0 == 0x80 ? nil : " ")
        }
        return " | \(line)\n | \(indent.joined())^"
    }

    private func lineStart(of offset: Int) -> (line: Int, start: Int) {
        var line = 1
        var start = 0
        for index in 0..<min(offset, utf8.count) where utf8[index] == UInt8(ascii: "\n") {
            line += 1
            start = index + 1
        }
        return (line, start)
    }

    private func characters(from start: Int, to end: Int) -> Int {
        utf8[start..<end].count { $0 & 0xC0 != 0x80 }
    }
}
