internal import JSON

/// How decimals are written for those who read the event.
public enum DecimalForm: String, Sendable, Hashable, CaseIterable {
    /// A JSON string: `"149.99"`. No reader can take it for a binary float.
    case string
    /// A JSON number with all its digits.
    case number
}

/// Decimals, from every encoding that Debezium has for them to plain digits.
enum DecimalText {
    /// The greatest precision that PostgreSQL lets a column declare.
    static let digitLimit = 1_000
    /// Scales that are read. (Negative ones are legal: `numeric(5,-2)`.)
    static let scales = -digitLimit...digitLimit

    static func write(
        _ value: JSONValue, scale: Int?, form: DecimalForm, into output: OutputBuffer
    ) throws(ColumnProblem) {
        switch value.kind {
        case .number:
            try write(number: value, scale: scale, form: form, into: output)
        case .string:
            guard let text = value.string else { return }
            if let scale {
                try write(base64: text, scale: scale, form: form, into: output)
            } else {
                try write(text: text, form: form, into: output)
            }
        case .object:
            // VariableScaleDecimal.
            guard let scale = value.member("scale")?.int64, let unscaled = value.member("value")?.string else {
                throw .kind(.object, expected: "a decimal, or an object of \"scale\" and \"value\",")
            }
            guard scales.contains(Int(scale)) else { throw .scaleOutOfRange(scale) }
            try write(base64: unscaled, scale: Int(scale), form: form, into: output)
        default:
            throw .kind(value.kind, expected: "a decimal")
        }
    }

    /// A number of mode `double`: 5.0 stands for 5.00, so zeros are appended up to the scale; nothing is rounded.
    private static func write(
        number: JSONValue, scale: Int?, form: DecimalForm, into output: OutputBuffer
    ) throws(ColumnProblem) {
        guard var decimal = number.decimal else { throw .tooManyDigits(limit: 38) }
        if let scale, scale > decimal.scale, let padded = try? decimal.rounded(scale: scale) { decimal = padded }
        write(decimal, form: form, into: output)
    }

    private static func write(
        text: JSONString, form: DecimalForm, into output: OutputBuffer
    ) throws(ColumnProblem) {
        // Names that are no numbers stay text in either form.
        if text.isEqual(to: "NAN") || text.isEqual(to: "NaN") { return output.append("\"NaN\"" as StaticString) }
        if text.isEqual(to: "POSITIVE_INFINITY") || text.isEqual(to: "Infinity") {
            return output.append("\"Infinity\"" as StaticString)
        }
        if text.isEqual(to: "NEGATIVE_INFINITY") || text.isEqual(to: "-Infinity") {
            return output.append("\"-Infinity\"" as StaticString)
        }
        if let decimal = Decimal(bytes: text.rawBytes) { return write(decimal, form: form, into: output) }
        // Too long for arithmetic, but plain: it is its own text.
        guard isPlainNumber(text.rawBytes) else { throw .notADecimal(text.string.shortened) }
        guard text.rawBytes.count <= digitLimit + 2 else { throw .tooManyDigits(limit: digitLimit) }
        quote(form, output)
        output.append(text.rawBytes)
        quote(form, output)
    }

    private static func isPlainNumber(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var digits = 0
        var hasPoint = false
        for (position, byte) in bytes.enumerated() {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digits += 1
            case UInt8(ascii: "-") where position == 0: break
            case UInt8(ascii: ".") where !hasPoint && digits > 0: hasPoint = true
            default: return false
            }
        }
        return digits > 0 && bytes.last != UInt8(ascii: ".")
    }

    private static func write(_ decimal: Decimal, form: DecimalForm, into output: OutputBuffer) {
        quote(form, output)
        output.append(decimal)
        quote(form, output)
    }

    private static func quote(_ form: DecimalForm, _ output: OutputBuffer) {
        if form == .string { output.append(UInt8(ascii: "\"")) }
    }

    // MARK: Unscaled values

    /// The unscaled value as big-endian two's complement, in base64.
    private static func write(
        base64: JSONString, scale: Int, form: DecimalForm, into output: OutputBuffer
    ) throws(ColumnProblem) {
        // 1,000 digits are 416 bytes.
        guard base64.rawBytes.count <= 600 else { throw .tooManyDigits(limit: digitLimit) }
        guard let bytes = Base64.decode(base64.rawBytes, requiresPadding: true), let first = bytes.first else {
            throw .notBase64(base64.string.shortened)
        }
        if bytes.count <= 16, (0...Decimal.maximumScale).contains(scale) {
            var mantissa: Int128 = first & 0x80 == 0 ? 0 : -1
            for byte in bytes { mantissa = mantissa << 8 | Int128(byte) }
            if let decimal = Decimal(mantissa: mantissa, scale: scale) {
                return write(decimal, form: form, into: output)
            }
        }
        quote(form, output)
        if first & 0x80 != 0 { output.append(UInt8(ascii: "-")) }
        writeMagnitude(digits(of: bytes), scale: scale, into: output)
        quote(form, output)
    }

    private static func writeMagnitude(_ digits: [UInt8], scale: Int, into output: OutputBuffer) {
        if scale <= 0 {
            for digit in digits { output.append(digit) }
            if digits != [UInt8(ascii: "0")] { for _ in 0..<(-scale) { output.append(UInt8(ascii: "0")) } }
            return
        }
        let padding = max(0, scale + 1 - digits.count)
        for position in 0..<(padding + digits.count) {
            if position == padding + digits.count - scale { output.append(UInt8(ascii: ".")) }
            output.append(position < padding ? UInt8(ascii: "0") : digits[position - padding])
        }
    }

    /// The decimal digits of a two's complement's magnitude, by long division.
    private static func digits(of bytes: [UInt8]) -> [UInt8] {
        var magnitude = bytes
        if bytes.first.map({ $0 & 0x80 != 0 }) == true {
            var carry: UInt16 = 1
            for position in magnitude.indices.reversed() {
                carry += UInt16(~magnitude[position])
                magnitude[position] = UInt8(truncatingIfNeeded: carry)
                carry >>= 8
            }
        }
        var groups: [UInt32] = []
        while magnitude.contains(where: { $0 != 0 }) {
            var remainder: UInt64 = 0
            for position in magnitude.indices {
                remainder = remainder << 8 | UInt64(magnitude[position])
                magnitude[position] = UInt8(truncatingIfNeeded: remainder / 1_000_000_000)
                remainder %= 1_000_000_000
            }
            groups.append(UInt32(remainder))
        }
        guard let top = groups.popLast() else { return [UInt8(ascii: "0")] }
        var digits = [UInt8](String(top).utf8)
        for group in groups.reversed() {
            let text = String(group).utf8
            digits.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: 9 - text.count))
            digits.append(contentsOf: text)
        }
        return digits
    }
}

extension String {
    /// Enough to recognise a value in an error message.
    var shortened: String { count <= 60 ? self : prefix(60) + "..." }
}
