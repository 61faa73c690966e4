internal import JSON

/// URI templates (RFC 6570, section 2): literals, percent-escapes, and expressions in braces.
enum URITemplateFormat {
    static func accepts(_ text: UnsafeRawBufferPointer) -> Bool {
        var rest = text[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "{"):
                guard let close = rest.firstIndex(of: UInt8(ascii: "}")), isExpression(rest[..<close]) else {
                    return false
                }
                rest = rest[(close + 1)...]
            case UInt8(ascii: "%"):
                guard rest.count >= 2, rest.prefix(2).allSatisfy({ $0.isHexadecimal }) else { return false }
                rest = rest.dropFirst(2)
            case 0...0x20, 0x7F: return false
            default: if "\"'<>\\^`|}".utf8.contains(byte) { return false }
            }
        }
        return true
    }

    /// An operator or none, then variables with commas in between.
    private static func isExpression(_ text: Slice<UnsafeRawBufferPointer>) -> Bool {
        var list = text
        // The operators from "=" to "|" are reserved for extensions, and so well-formed.
        if let first = list.first, "+#./;?&=,!@|".utf8.contains(first) { list = list.dropFirst() }
        return list.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).allSatisfy { isVariable($0) }
    }

    /// A name of dotted parts, perhaps exploded by an asterisk or cut to a length.
    private static func isVariable(_ text: Slice<UnsafeRawBufferPointer>) -> Bool {
        var name = text
        if name.last == UInt8(ascii: "*") {
            name = name.dropLast()
        } else if let colon = name.firstIndex(of: UInt8(ascii: ":")) {
            let length = name[(colon + 1)...]
            guard (1...4).contains(length.count), length.allSatisfy({ $0.isDigit }), length.first != UInt8(ascii: "0")
            else { return false }
            name = name[..<colon]
        }
        return name.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { part in
            var rest = part
            guard !rest.isEmpty else { return false }
            while let byte = rest.popFirst() {
                if byte == UInt8(ascii: "%") {
                    guard rest.count >= 2, rest.prefix(2).allSatisfy({ $0.isHexadecimal }) else { return false }
                    rest = rest.dropFirst(2)
                } else if !(byte.isLetter || byte.isDigit || byte == UInt8(ascii: "_")) {
                    return false
                }
            }
            return true
        }
    }
}
