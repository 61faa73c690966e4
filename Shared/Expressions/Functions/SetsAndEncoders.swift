/// The sets extension (lists as sets) and the encoders extension (base64).
extension FunctionLibrary {
    static func addSetsAndEncoders(_ group: inout FunctionGroup) {
        sets(&group, "sets.contains") { $1.isSubset(of: $0) }
        sets(&group, "sets.equivalent") { $0.isSubset(of: $1) && $1.isSubset(of: $0) }
        sets(&group, "sets.intersects") { left, right in
            left.contains { element in right.contains { $0.isEqual(to: element) } }
        }
        group.unary("base64.encode(bytes) -> string") { (value, context) throws(EvaluationError) in
            guard case .bytes(let bytes) = value else { throw .noSuchOverload("base64.encode", value) }
            try context.charge(bytes: bytes.count)
            return .string(Text(validUTF8: Base64.encode(bytes)))
        }
        group.unary("base64.decode(string) -> bytes") { (value, context) throws(EvaluationError) in
            guard case .string(let text) = value else { throw .noSuchOverload("base64.decode", value) }
            try context.charge(bytes: text.utf8.count)
            guard let bytes = Base64.decode(text.utf8) else { throw .invalid("base64.decode(): not base64") }
            return .bytes(bytes)
        }
    }

    private static func sets(
        _ group: inout FunctionGroup, _ name: String, _ body: @escaping @Sendable ([Value], [Value]) -> Bool
    ) {
        group.binary("\(name)(list(A), list(A)) -> bool") { (left, right, context) throws(EvaluationError) in
            guard case .list(let first) = left, case .list(let second) = right else {
                throw .noSuchOverload(name, left, right)
            }
            // Each is compared with all of the other list: paid for as if nothing was found early.
            for _ in first { try context.charge(traversing: right) }
            for _ in second { try context.charge(traversing: left) }
            return .bool(body(first, second))
        }
    }
}

extension [Value] {
    fileprivate func isSubset(of other: [Value]) -> Bool {
        allSatisfy { element in other.contains { $0.isEqual(to: element) } }
    }
}

/// Base64 with the standard alphabet (RFC 4648, section 4); padding is written, and may be missing when read.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity((bytes.count + 2) / 3 * 4)
        var index = 0
        while index < bytes.count {
            let group = bytes[index..<min(index + 3, bytes.count)]
            let bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
            for place in 0..<4 {
                let sextet = Int(bits >> UInt32(18 - 6 * place)) & 63
                result.append(place <= group.count ? alphabet[sextet] : UInt8(ascii: "="))
            }
            index += 3
        }
        return result
    }

    static func decode(_ text: [UInt8]) -> [UInt8]? {
        var digits = text[...]
        var padding = 0
        while digits.last == UInt8(ascii: "="), padding < 2 {
            digits = digits.dropLast()
            padding += 1
        }
        guard digits.count % 4 != 1, padding == 0 || (digits.count + padding) % 4 == 0 else { return nil }
        var result: [UInt8] = []
        var bits: UInt32 = 0
        var bitCount = 0
        for digit in digits {
            guard let value = sextet(digit) else { return nil }
            bits = bits << 6 | value
            bitCount += 6
            if bitCount >= 8 {
                bitCount -= 8
                result.append(UInt8(truncatingIfNeeded: bits >> UInt32(bitCount)))
            }
        }
        return result
    }

    private static func sextet(_ digit: UInt8) -> UInt32? {
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(digit - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(digit - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(digit - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
