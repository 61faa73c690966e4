/// URIs and relative references (RFC 3986, appendix A).
enum URIFormat {
    static func accepts(_ text: UnsafeRawBufferPointer, needsScheme: Bool) -> Bool {
        var rest = text[...]
        if let hash = rest.firstIndex(of: UInt8(ascii: "#")) {
            guard consists(rest[(hash + 1)...], alsoOf: ":@/?") else { return false }
            rest = rest[..<hash]
        }
        if let mark = rest.firstIndex(of: UInt8(ascii: "?")) {
            guard consists(rest[(mark + 1)...], alsoOf: ":@/?") else { return false }
            rest = rest[..<mark]
        }
        let scheme = schemeEnd(rest)
        if let scheme {
            rest = rest[(scheme + 1)...]
        } else if needsScheme {
            return false
        }
        if rest.starts(with: "//".utf8) {
            let authority = rest.dropFirst(2).prefix { $0 != UInt8(ascii: "/") }
            guard isAuthority(authority) else { return false }
            rest = rest[authority.endIndex...]
        } else if scheme == nil {
            // A colon in the first segment would read as a scheme.
            let segment = rest.prefix { $0 != UInt8(ascii: "/") }
            if segment.contains(UInt8(ascii: ":")) { return false }
        }
        return consists(rest, alsoOf: ":@/")
    }

    private static func schemeEnd(_ text: Slice<UnsafeRawBufferPointer>) -> Int? {
        guard let first = text.first, first.isLetter else { return nil }
        let end = text.firstIndex { !($0.isLetter || $0.isDigit || "+-.".utf8.contains($0)) }
        guard let end, text[end] == UInt8(ascii: ":") else { return nil }
        return end
    }

    private static func isAuthority(_ text: Slice<UnsafeRawBufferPointer>) -> Bool {
        var rest = text
        if let at = rest.lastIndex(of: UInt8(ascii: "@")) {
            guard consists(rest[..<at], alsoOf: ":") else { return false }
            rest = rest[(at + 1)...]
        }
        if rest.first == UInt8(ascii: "[") {
            guard let close = rest.firstIndex(of: UInt8(ascii: "]")) else { return false }
            let address = rest[(rest.startIndex + 1)..<close]
            guard isAddressLiteral(address) else { return false }
            rest = rest[(close + 1)...]
            guard rest.isEmpty || rest.first == UInt8(ascii: ":") else { return false }
            return rest.dropFirst().allSatisfy { $0.isDigit }
        }
        if let colon = rest.lastIndex(of: UInt8(ascii: ":")) {
            guard rest[(colon + 1)...].allSatisfy({ $0.isDigit }) else { return false }
            rest = rest[..<colon]
        }
        return consists(rest, alsoOf: "")
    }

    private static func isAddressLiteral(_ text: Slice<UnsafeRawBufferPointer>) -> Bool {
        guard let first = text.first, first | 0x20 == UInt8(ascii: "v") else {
            return HostFormats.isIPv6(UnsafeRawBufferPointer(rebasing: text))
        }
        let version = text.dropFirst().prefix { $0.isHexadecimal }
        guard !version.isEmpty, version.endIndex < text.endIndex, text[version.endIndex] == UInt8(ascii: ".") else {
            return false
        }
        let rest = text[(version.endIndex + 1)...]
        return !rest.isEmpty && !rest.contains(UInt8(ascii: "%")) && consists(rest, alsoOf: ":")
    }

    /// Whether all is unreserved, a sub-delimiter, a percent-escape, or one of `others`.
    private static func consists(_ text: Slice<UnsafeRawBufferPointer>, alsoOf others: StaticString) -> Bool {
        let others = UnsafeBufferPointer(start: others.utf8Start, count: others.utf8CodeUnitCount)
        var position = text.startIndex
        while position < text.endIndex {
            let byte = text[position]
            if byte == UInt8(ascii: "%") {
                guard position + 2 < text.endIndex, text[position + 1].isHexadecimal, text[position + 2].isHexadecimal
                else {
                    return false
                }
                position += 3
                continue
            }
            guard byte.isDigit || byte.isLetter || "-._~!$&'()*+,;=".utf8.contains(byte) || others.contains(byte) else {
                return false
            }
            position += 1
        }
        return true
    }
}
