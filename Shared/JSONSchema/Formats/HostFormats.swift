/// Hosts, addresses and mailboxes.
enum HostFormats {
    /// RFC 1123, section 2.1: labels of letters, digits and inner hyphens, 63 at most, 253 in all.
    static func isHostname(_ text: UnsafeRawBufferPointer, isInternational: Bool = false) -> Bool {
        guard !text.isEmpty, text.count <= 253 else { return false }
        return text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy {
            isLabel($0, isInternational)
        }
    }

    private static func isLabel(_ label: Slice<UnsafeRawBufferPointer>, _ isInternational: Bool) -> Bool {
        guard let first = label.first, let last = label.last, label.count <= 63, first != UInt8(ascii: "-"),
            last != UInt8(ascii: "-"),
            label.allSatisfy({
                $0.isDigit || $0.isLetter || $0 == UInt8(ascii: "-") || (isInternational && $0 >= 0x80)
            })
        else { return false }
        // Two hyphens after two characters are reserved for encoded labels (RFC 5891, section 4.2.3.1).
        let start = label.startIndex
        guard label.count >= 4, label[start + 2] == UInt8(ascii: "-"), label[start + 3] == UInt8(ascii: "-") else {
            return true
        }
        let isEncoded = label[start] | 0x20 == UInt8(ascii: "x") && label[start + 1] | 0x20 == UInt8(ascii: "n")
        return isEncoded && label.count > 4
    }

    /// RFC 2673, section 3.2: four numbers up to 255, none with a zero in front.
    static func isIPv4(_ text: UnsafeRawBufferPointer) -> Bool {
        isIPv4(text[...])
    }

    private static func isIPv4(_ text: Slice<UnsafeRawBufferPointer>) -> Bool {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                guard (1...3).contains(part.count), part.allSatisfy({ $0.isDigit }) else { return false }
                if part.count > 1, part.first == UInt8(ascii: "0") { return false }
                return part.reduce(0) { $0 * 10 + Int($1 - 0x30) } <= 255
            }
    }

    /// RFC 4291, section 2.2: eight groups, a run of zeros as `::` once, the last two perhaps as IPv4.
    static func isIPv6(_ text: UnsafeRawBufferPointer) -> Bool {
        var groups = 0
        var isShortened = false
        var position = 0
        func byte(_ offset: Int) -> UInt8? { offset < text.count ? text[offset] : nil }
        if byte(0) == UInt8(ascii: ":") {
            guard byte(1) == UInt8(ascii: ":") else { return false }
            isShortened = true
            position = 2
            if position == text.count { return true }
        }
        while true {
            let digits = text[position...].prefix { $0.isHexadecimal }
            if byte(digits.endIndex) == UInt8(ascii: ".") {
                groups += 2
                guard isIPv4(text[position...]) else { return false }
                break
            }
            guard (1...4).contains(digits.count) else { return false }
            groups += 1
            position = digits.endIndex
            guard let next = byte(position) else { break }
            guard next == UInt8(ascii: ":") else { return false }
            position += 1
            if byte(position) == UInt8(ascii: ":") {
                if isShortened { return false }
                isShortened = true
                position += 1
                if position == text.count { break }
            }
        }
        return isShortened ? groups < 8 : groups == 8
    }

    /// RFC 5321, section 4.1.2: `Mailbox`.
    ///
    /// - Parameter isInternational: whether characters beyond ASCII may be in both parts (RFC 6531, section 3.3); those of domains
    ///   are not looked at closely.
    static func isEmail(_ text: UnsafeRawBufferPointer, isInternational: Bool = false) -> Bool {
        guard let at = text.lastIndex(of: UInt8(ascii: "@")), at > 0, at + 1 < text.count else { return false }
        guard isLocalPart(UnsafeRawBufferPointer(rebasing: text[..<at]), isInternational) else { return false }
        let domain = UnsafeRawBufferPointer(rebasing: text[(at + 1)...])
        if domain[0] == UInt8(ascii: "["), domain[domain.count - 1] == UInt8(ascii: "]") {
            let address = UnsafeRawBufferPointer(rebasing: domain[1..<(domain.count - 1)])
            // Tags of a grammar are of either case (RFC 5234, section 2.3).
            if address.prefix(5).elementsEqual("ipv6:".utf8, by: { ($0.isLetter ? $0 | 0x20 : $0) == $1 }) {
                return isIPv6(UnsafeRawBufferPointer(rebasing: address[5...]))
            }
            return isIPv4(address)
        }
        return isHostname(domain, isInternational: isInternational)
    }

    private static func isLocalPart(_ text: UnsafeRawBufferPointer, _ isInternational: Bool) -> Bool {
        if text[0] == UInt8(ascii: "\"") { return isQuoted(text, isInternational) }
        return text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { atom in
            !atom.isEmpty
                && atom.allSatisfy {
                    $0.isDigit || $0.isLetter || "!#$%&'*+-/=?^_`{|}~".utf8.contains($0)
                        || (isInternational && $0 >= 0x80)
                }
        }
    }

    private static func isQuoted(_ text: UnsafeRawBufferPointer, _ isInternational: Bool) -> Bool {
        guard text.count >= 2, text[text.count - 1] == UInt8(ascii: "\"") else { return false }
        var isEscaped = false
        for byte in text[1..<(text.count - 1)] {
            guard byte >= 0x20, byte < 0x7F || (isInternational && byte >= 0x80) else { return false }
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                return false
            }
        }
        return !isEscaped
    }
}
