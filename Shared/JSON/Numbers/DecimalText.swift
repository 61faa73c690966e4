extension Decimal {
    /// Parses text of the form `[+-] digits [. digits] [(e|E) [+-] digits]`.
    ///
    /// The digits after the point are kept as the scale (`1.50` has scale 2); a positive exponent is multiplied out (`1E+3` is
    /// 1000). nil where the text is malformed or the number needs more than 38 digits.
    public init?(_ text: String) {
        var text = text
        let parsed = text.withUTF8 { Decimal(bytes: UnsafeRawBufferPointer($0)) }
        guard let parsed else { return nil }
        self = parsed
    }

    /// Parses the bytes of a number: see ``init(_:)-(String)``. Nothing is allocated.
    public init?(bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress else { return nil }
        if let plain = PlainDecimal(base, count: bytes.count) {
            self.init(unchecked: Int128(plain.digits), scale: plain.scale)
            return
        }
        guard let parsed = Decimal(anyBytes: bytes) else { return nil }
        self = parsed
    }

    /// The whole grammar; what the way for short plain numbers is tested against.
    @inline(never)
    package init?(anyBytes bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress else { return nil }
        let end = bytes.count
        var position = 0
        var negative = false
        if end > 0 {
            let sign = base.load(as: UInt8.self)
            if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
                negative = sign == UInt8(ascii: "-")
                position = 1
            }
        }
        // Up to 18 digits cannot overflow 64 bits; longer texts go the slow way.
        if end - position > 19 {
            guard let slow = Decimal.parseLong(base, from: position, to: end, negative: negative) else { return nil }
            self = slow
            return
        }
        var magnitude: UInt64 = 0
        let integerStart = position
        while position < end {
            let digit = base.load(fromByteOffset: position, as: UInt8.self) &- 0x30
            if digit > 9 { break }
            magnitude = magnitude &* 10 &+ UInt64(digit)
            position += 1
        }
        if position == integerStart { return nil }
        var fractionDigits = 0
        if position < end, base.load(fromByteOffset: position, as: UInt8.self) == UInt8(ascii: ".") {
            position += 1
            let fractionStart = position
            while position < end {
                let digit = base.load(fromByteOffset: position, as: UInt8.self) &- 0x30
                if digit > 9 { break }
                magnitude = magnitude &* 10 &+ UInt64(digit)
                position += 1
            }
            fractionDigits = position - fractionStart
            if fractionDigits == 0 { return nil }
        }
        // 19 digits without a point reach 10^19 - 1, which fits UInt64.
        let mantissa = negative ? 0 &- Int128(magnitude) : Int128(magnitude)
        if position == end {
            self.init(unchecked: mantissa, scale: fractionDigits)
            return
        }
        guard let exponent = Decimal.parseExponent(base, from: position, to: end),
            let scaled = Decimal.scaled(mantissa, scale: fractionDigits - exponent)
        else { return nil }
        self = scaled
    }

    /// Any length: zeros at the front cost no digit, and zeros at the end of a fraction go where they would not fit.
    private static func parseLong(
        _ base: UnsafeRawPointer, from start: Int, to end: Int, negative: Bool
    ) -> Decimal? {
        var position = start
        var magnitude: UInt128 = 0
        var pendingZeros = 0
        var scale = 0
        var inFraction = false
        var digitsInPart = 0
        scan: while position < end {
            let byte = base.load(fromByteOffset: position, as: UInt8.self)
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                digitsInPart += 1
                if inFraction, byte == UInt8(ascii: "0") {
                    pendingZeros += 1
                } else {
                    // Zeros before another digit count.
                    let shift = pendingZeros + 1
                    if magnitude != 0 {
                        guard shift <= PowersOfTen.largest else { return nil }
                        let (product, overflow) = magnitude.multipliedReportingOverflow(by: PowersOfTen.wide(shift))
                        if overflow { return nil }
                        magnitude = product
                    }
                    let (sum, overflow) = magnitude.addingReportingOverflow(UInt128(byte &- 0x30))
                    if overflow { return nil }
                    magnitude = sum
                    if inFraction { scale += shift }
                    pendingZeros = 0
                }
            case UInt8(ascii: "."):
                if inFraction || digitsInPart == 0 { return nil }
                inFraction = true
                digitsInPart = 0
            default:
                break scan
            }
            position += 1
        }
        if digitsInPart == 0 { return nil }
        var exponent = 0
        if position < end {
            guard let parsed = parseExponent(base, from: position, to: end) else { return nil }
            exponent = parsed
        }
        // The zeros at the end belong to the scale as written, as far as they fit.
        while pendingZeros > 0, scale < maximumScale {
            let (product, overflow) = magnitude.multipliedReportingOverflow(by: 10)
            if overflow || product > UInt128(Int128.max) { break }
            magnitude = product
            scale += 1
            pendingZeros -= 1
        }
        guard magnitude <= UInt128(Int128.max) else { return nil }
        let mantissa = Int128(truncatingIfNeeded: magnitude)
        return scaled(negative ? 0 &- mantissa : mantissa, scale: scale - exponent)
    }

    /// The exponent from its letter to the end of the text. Exponents beyond any use saturate, so that zero may have them.
    private static func parseExponent(_ base: UnsafeRawPointer, from start: Int, to end: Int) -> Int? {
        var position = start
        guard base.load(fromByteOffset: position, as: UInt8.self) | 0x20 == UInt8(ascii: "e") else { return nil }
        position += 1
        guard position < end else { return nil }
        var negative = false
        let sign = base.load(fromByteOffset: position, as: UInt8.self)
        if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            negative = sign == UInt8(ascii: "-")
            position += 1
        }
        guard position < end else { return nil }
        var exponent = 0
        while position < end {
            let digit = base.load(fromByteOffset: position, as: UInt8.self) &- 0x30
            if digit > 9 { return nil }
            if exponent < 1_000_000 { exponent = exponent * 10 + Int(digit) }
            position += 1
        }
        return negative ? -exponent : exponent
    }

    /// `mantissa` over 10 to a scale of any size; nil where that does not fit.
    private static func scaled(_ mantissa: Int128, scale: Int) -> Decimal? {
        if mantissa == 0 { return Decimal(unchecked: 0, scale: min(max(scale, 0), maximumScale)) }
        if scale < 0 {
            guard scale >= -PowersOfTen.largest else { return nil }
            let (product, overflow) = mantissa.multipliedReportingOverflow(
                by: Int128(truncatingIfNeeded: PowersOfTen.wide(-scale)))
            return overflow ? nil : Decimal(unchecked: product, scale: 0)
        }
        if scale <= maximumScale { return Decimal(unchecked: mantissa, scale: scale) }
        return try? shortened(mantissa, scale: scale)
    }

    /// The most bytes that ``write(into:)`` writes: sign, 39 digits, a zero before the point, the point.
    public static let maximumByteCount = 42

    /// Writes the number as text, all digits of its scale included, and answers the number of bytes.
    ///
    /// `buffer` holds at least ``maximumByteCount`` bytes; with fewer, nothing is written and the answer is 0.
    @discardableResult
    public func write(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard let base = buffer.baseAddress, buffer.count >= Decimal.maximumByteCount else { return 0 }
        return write(to: base)
    }

    /// The same for memory known to hold ``maximumByteCount`` bytes.
    func write(to base: UnsafeMutableRawPointer) -> Int {
        var position = 0
        if mantissa < 0 {
            base.storeBytes(of: UInt8(ascii: "-"), as: UInt8.self)
            position = 1
        }
        let scale = Int(storedScale)
        let magnitude = mantissa.magnitude
        if magnitude < 100_000_000, scale < 8 {
            return position &+ Decimal.writeShort(UInt64(truncatingIfNeeded: magnitude), scale, to: base + position)
        }
        let digits = max(Digits.count(magnitude), scale + 1)
        let total = scale == 0 ? digits : digits + 1
        // From the last digit to the first, stepping over the point.
        var cursor = position + total
        if let small = UInt64(exactly: magnitude) {
            var rest = small
            var written = 0
            while written < digits {
                if written == scale, scale > 0 {
                    cursor -= 1
                    base.storeBytes(of: UInt8(ascii: "."), toByteOffset: cursor, as: UInt8.self)
                }
                cursor -= 1
                let quotient = rest / 10
                base.storeBytes(
                    of: UInt8(truncatingIfNeeded: rest &- quotient &* 10) &+ 0x30, toByteOffset: cursor, as: UInt8.self)
                rest = quotient
                written += 1
            }
        } else {
            var rest = magnitude
            for written in 0..<digits {
                if written == scale, scale > 0 {
                    cursor -= 1
                    base.storeBytes(of: UInt8(ascii: "."), toByteOffset: cursor, as: UInt8.self)
                }
                cursor -= 1
                let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
                base.storeBytes(of: UInt8(truncatingIfNeeded: digit) &+ 0x30, toByteOffset: cursor, as: UInt8.self)
                rest = quotient
            }
        }
        position += total
        return position
    }

    /// A magnitude below 10^8 with fewer than eight digits after the point, as one word.
    @inline(__always)
    private static func writeShort(_ magnitude: UInt64, _ scale: Int, to base: UnsafeMutableRawPointer) -> Int {
        let digits = max(Digits.count(magnitude), scale &+ 1)
        let text = Digits.eight(magnitude) &>> UInt64(truncatingIfNeeded: (8 &- digits) &* 8)
        base.storeBytes(of: text.littleEndian, as: UInt64.self)
        if scale == 0 { return digits }
        // The point takes the place of the first digit of the fraction, which moves on by one.
        let whole = digits &- scale
        base.storeBytes(of: UInt8(ascii: "."), toByteOffset: whole, as: UInt8.self)
        let fraction = text &>> UInt64(truncatingIfNeeded: whole &* 8)
        base.storeBytes(of: fraction.littleEndian, toByteOffset: whole &+ 1, as: UInt64.self)
        return digits &+ 1
    }

    /// The nearest binary float. For display and for APIs that take nothing else; never for money.
    public var doubleValue: Double {
        withUnsafeTemporaryAllocation(byteCount: Decimal.maximumByteCount, alignment: 1) { buffer in
            let count = write(into: buffer)
            return BinaryFloat.nearest(to: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }
}

extension Decimal: CustomStringConvertible {
    /// The number with all digits of its scale.
    public var description: String {
        withUnsafeTemporaryAllocation(byteCount: Decimal.maximumByteCount, alignment: 1) { buffer in
            let count = write(into: buffer)
            return String(decoding: UnsafeRawBufferPointer(rebasing: buffer[..<count]), as: UTF8.self)
        }
    }
}
