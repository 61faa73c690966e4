/// Durations as RFC 3339, appendix A, has them: whole numbers of units, the greater first, none left out in between.
enum DurationFormat {
    static func accepts(_ text: UnsafeRawBufferPointer) -> Bool {
        var rest = text[...]
        guard rest.popFirst() == UInt8(ascii: "P"), !rest.isEmpty else { return false }
        if rest.last == UInt8(ascii: "W") {
            return rest.count > 1 && rest.dropLast().allSatisfy { $0.isDigit }
        }
        guard let hasDays = units("YMD", of: &rest) else { return false }
        if rest.isEmpty { return hasDays }
        guard rest.popFirst() == UInt8(ascii: "T"), let hasTime = units("HMS", of: &rest) else { return false }
        return hasTime && rest.isEmpty
    }

    /// Numbers with units that follow each other in `order`. Answers whether there was one; nil where they do not.
    private static func units(_ order: StaticString, of rest: inout Slice<UnsafeRawBufferPointer>) -> Bool? {
        var previous: Int?
        while let first = rest.first, first != UInt8(ascii: "T") {
            let digits = rest.prefix { $0.isDigit }
            guard !digits.isEmpty, digits.endIndex < rest.endIndex else { return nil }
            let unit = rest[digits.endIndex]
            let place = (0..<order.utf8CodeUnitCount).first { order.utf8Start[$0] == unit }
            guard let place, previous.map({ place == $0 + 1 }) ?? true else { return nil }
            previous = place
            rest = rest[(digits.endIndex + 1)...]
        }
        return previous != nil
    }
}
