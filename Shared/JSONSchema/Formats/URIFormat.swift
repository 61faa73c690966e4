/// URIs and relative references (RFC 3986, appendix A), and IRIs, which are the same with letters of all languages (RFC 3987).
struct URIFormat {
    /// Whether characters beyond ASCII are allowed.
    private let isInternational: Bool

    static func accepts(_ text: UnsafeRawBufferPointer, needsScheme: Bool, isInternational: Bool = false) -> Bool {
        URIFormat(isInternational: isInternational).accepts(text, needsScheme: needsScheme)
    }

    private func accepts(_ text: UnsafeRawBufferPointer, needsScheme: Bool) -> Bool {
        var rest = text[...]
        if let hash = rest.firstIndex(of: UInt8(ascii: "#")) {
            guard consists(rest[(hash + 1)...], alsoOf: ":@/?") else { return false }
            rest = rest[..<hash]
        }
        if let mark = rest.firstIndex(of: UInt8(ascii: "?")) {
            guard consists(rest[(mark + 1)...], alsoOf: ":@/?", isQuery: true) else { return false }
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

    private func schemeEnd(_ text: Slice<UnsafeRawBufferPointer>) -> Int? {
        guard let first = text.first, first.isLetter else { return nil }
        let end = text.firstIndex { !($0.isLetter || $0.isDigit || "+-.".utf8.contains($0)) }
        guard let end, text[end] == UInt8(ascii: ":") else { return nil }
        return end
    }

    private func isAuthority(_ text: Slice<UnsafeRawBufferPointer>) -> Bool {
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

    private func isAddressLiteral(_ text: Slice<UnsafeRawBufferPointer>) -> Bool {
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
    ///
    /// - Parameter isQuery: private-use characters are for queries alone.
    private func consists(
        _ text: Slice<UnsafeRawBufferPointer>, alsoOf others: StaticString, isQuery: Bool = false
    ) -> Bool {
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
            if byte >= 0x80 {
                guard isInternational, let (scalar, length) = Self.scalar(text[position...]),
                    Self.isInternational(scalar, isQuery: isQuery)
                else { return false }
                position += length
                continue
            }
            guard byte.isDigit || byte.isLetter || "-._~!$&'()*+,;=".utf8.contains(byte) || others.contains(byte) else {
                return false
            }
            position += 1
        }
        return true
    }

    private static func scalar(_ text: Slice<UnsafeRawBufferPointer>) -> (Unicode.Scalar, Int)? {
        var bytes = text.makeIterator()
        var decoder = UTF8()
        guard case .scalarValue(let scalar) = decoder.decode(&bytes) else { return nil }
        return (scalar, UTF8.width(scalar))
    }

    /// RFC 3987, section 2.2: `ucschar`, and in queries `iprivate`.
    private static func isInternational(_ scalar: Unicode.Scalar, isQuery: Bool) -> Bool {
        switch scalar.value {
        case 0xA0...0xD7FF, 0xF900...0xFDCF, 0xFDF0...0xFFEF: true
        case 0xE000...0xF8FF, 0xF0000...0xFFFFD, 0x100000...0x10FFFD: isQuery
        // The supplementary planes 1 to 14 but for their last two characters, and the tags at the beginning of plane 14.
        case 0x10000...0xEFFFD: scalar.value & 0xFFFF <= 0xFFFD && !(0xE0000..<0xE1000).contains(scalar.value)
        default: false
        }
    }
}
