/// A JSON number of any size by its text: compared, hashed and divided exactly, where ``Decimal`` has too few digits.
///
/// The value is 0.d₁d₂d₃… times 10 to the `magnitude`, d₁ not zero. Exponents beyond ±10¹⁵ count as that.
public struct NumberText {
    private let text: JSONText
    public let isNegative: Bool
    public let isZero: Bool
    /// Whether the number has no fraction: `1.0` and `15e-1e1` are judged by value, not by looks.
    public let isInteger: Bool
    private let magnitude: Int
    /// The first and the last digit that is not zero.
    private let first: Int
    private let last: Int
    /// The power of ten of the last digit.
    private let lastPower: Int

    private static let exponentLimit = 1_000_000_000_000_000

    /// The bytes of a number whose grammar was checked, as those of a ``JSONValue`` were.
    public init(_ bytes: UnsafeRawBufferPointer) {
        // Without bytes there are no digits: zero.
        text = JSONText(base: bytes.baseAddress ?? UnsafeRawPointer(NumberText.nothing.utf8Start), count: bytes.count)
        isNegative = text.byte(at: 0) == UInt8(ascii: "-")
        var position = isNegative ? 1 : 0
        var point: Int?
        var first: Int?
        var last = 0
        while position < text.count {
            let byte = text[position]
            if byte == UInt8(ascii: ".") {
                point = position
            } else if byte &- 0x30 <= 9 {
                if byte != UInt8(ascii: "0") {
                    if first == nil { first = position }
                    last = position
                }
            } else {
                break
            }
            position &+= 1
        }
        let digitsEnd = position
        let exponent = NumberText.exponent(text, from: digitsEnd)
        guard let first else {
            isZero = true
            isInteger = true
            (self.first, self.last, magnitude, lastPower) = (0, -1, 0, 0)
            return
        }
        isZero = false
        self.first = first
        self.last = last
        let unit = point ?? digitsEnd
        magnitude = (first < unit ? unit - first : unit - first + 1) + exponent
        lastPower = (last < unit ? unit - last - 1 : unit - last) + exponent
        isInteger = lastPower >= 0
    }

    private static let nothing: StaticString = ""

    private static func exponent(_ text: JSONText, from start: Int) -> Int {
        var position = start + 1
        var isNegative = false
        if let sign = text.byte(at: position), sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            isNegative = sign == UInt8(ascii: "-")
            position += 1
        }
        var value = 0
        while let byte = text.byte(at: position) {
            value = min(value * 10 + Int(byte &- 0x30), exponentLimit)
            position += 1
        }
        return isNegative ? -value : value
    }

    /// The digit at or after `position`, stepping over the point; zero after the last.
    private func digit(_ position: inout Int) -> UInt8 {
        guard position <= last else { return 0 }
        if text[position] == UInt8(ascii: ".") { position += 1 }
        defer { position += 1 }
        return text[position] &- 0x30
    }

    private static func compareMagnitudes(_ left: NumberText, _ right: NumberText) -> Int {
        if left.magnitude != right.magnitude { return left.magnitude < right.magnitude ? -1 : 1 }
        var leftPosition = left.first
        var rightPosition = right.first
        while leftPosition <= left.last || rightPosition <= right.last {
            let leftDigit = left.digit(&leftPosition)
            let rightDigit = right.digit(&rightPosition)
            if leftDigit != rightDigit { return leftDigit < rightDigit ? -1 : 1 }
        }
        return 0
    }

    /// Whether the number is a whole multiple of `divisor`, exactly. Nothing is a multiple of zero.
    public func isMultiple(of divisor: Decimal) -> Bool {
        if divisor.isZero { return false }
        if isZero { return true }
        let unit = divisor.normalized
        let modulus = unit.mantissa.magnitude
        // The digits do not end in zero, so that no power of ten divides them.
        let shift = lastPower + unit.scale
        if shift < 0 { return false }
        var remainder: UInt128 = 0
        var position = first
        while position <= last {
            remainder = NumberText.multiply(remainder, 10, modulo: modulus)
            remainder = (remainder + UInt128(digit(&position)) % modulus) % modulus
        }
        var power = UInt128(10) % modulus
        var left = shift
        while left > 0 {
            if left & 1 == 1 { remainder = NumberText.multiply(remainder, power, modulo: modulus) }
            power = NumberText.multiply(power, power, modulo: modulus)
            left >>= 1
        }
        return remainder == 0
    }

    private static func multiply(_ left: UInt128, _ right: UInt128, modulo modulus: UInt128) -> UInt128 {
        let product = left.multipliedFullWidth(by: right)
        return modulus.dividingFullWidth((product.high % modulus, product.low)).remainder
    }
}

extension NumberText: Comparable {
    /// Numeric equality: `1.0` is `1e0`, and `-0` is `0`.
    public static func == (left: NumberText, right: NumberText) -> Bool {
        if left.isZero || right.isZero { return left.isZero && right.isZero }
        return left.isNegative == right.isNegative && compareMagnitudes(left, right) == 0
    }

    public static func < (left: NumberText, right: NumberText) -> Bool {
        let leftSign = left.isZero ? 0 : left.isNegative ? -1 : 1
        let rightSign = right.isZero ? 0 : right.isNegative ? -1 : 1
        if leftSign != rightSign || leftSign == 0 { return leftSign < rightSign }
        let order = compareMagnitudes(left, right)
        return leftSign > 0 ? order < 0 : order > 0
    }
}

extension NumberText: Hashable {
    public func hash(into hasher: inout Hasher) {
        if isZero { return hasher.combine(0) }
        hasher.combine(isNegative)
        hasher.combine(magnitude)
        var position = first
        while position <= last { hasher.combine(digit(&position)) }
    }
}
