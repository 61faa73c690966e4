internal import JSON
internal import Patterns

/// The formats that can be asserted (JSON Schema validation, section 7.3): all but `idn-hostname`, which takes the tables of IDNA;
/// that and any unknown one only say what is meant.
enum Format: String, CaseIterable {
    case dateTime = "date-time"
    case date
    case time
    case duration
    case email
    case internationalEmail = "idn-email"
    case hostname
    case ipv4
    case ipv6
    case uri
    case uriReference = "uri-reference"
    case iri
    case iriReference = "iri-reference"
    case uriTemplate = "uri-template"
    case uuid
    case regex
    case jsonPointer = "json-pointer"
    case relativeJSONPointer = "relative-json-pointer"

    /// Whether the UTF-8 text has the format.
    func accepts(_ text: UnsafeRawBufferPointer) -> Bool {
        switch self {
        case .dateTime: RFC3339.isDateTime(text)
        case .date: RFC3339.isDate(text)
        case .time: RFC3339.time(text) != nil
        case .duration: DurationFormat.accepts(text)
        case .email: HostFormats.isEmail(text)
        case .internationalEmail: HostFormats.isEmail(text, isInternational: true)
        case .hostname: HostFormats.isHostname(text)
        case .ipv4: HostFormats.isIPv4(text)
        case .ipv6: HostFormats.isIPv6(text)
        case .uri: URIFormat.accepts(text, needsScheme: true)
        case .uriReference: URIFormat.accepts(text, needsScheme: false)
        case .iri: URIFormat.accepts(text, needsScheme: true, isInternational: true)
        case .iriReference: URIFormat.accepts(text, needsScheme: false, isInternational: true)
        case .uriTemplate: URITemplateFormat.accepts(text)
        case .uuid: Format.isUUID(text)
        case .regex: Pattern.isECMAScript(String(decoding: text, as: UTF8.self))
        case .jsonPointer: Format.isJSONPointer(text)
        case .relativeJSONPointer: Format.isRelativeJSONPointer(text)
        }
    }

    /// RFC 4122, section 3: 32 hexadecimal digits in five groups.
    private static func isUUID(_ text: UnsafeRawBufferPointer) -> Bool {
        guard text.count == 36 else { return false }
        for (index, byte) in text.enumerated() {
            switch index {
            case 8, 13, 18, 23: if byte != UInt8(ascii: "-") { return false }
            default: if !byte.isHexadecimal { return false }
            }
        }
        return true
    }

    /// RFC 6901, section 3: empty, or tokens each after a slash, with `~` only in `~0` and `~1`.
    private static func isJSONPointer(_ text: UnsafeRawBufferPointer) -> Bool {
        if text.isEmpty { return true }
        guard text[0] == UInt8(ascii: "/") else { return false }
        for (index, byte) in text.enumerated() where byte == UInt8(ascii: "~") {
            guard index + 1 < text.count, text[index + 1] == UInt8(ascii: "0") || text[index + 1] == UInt8(ascii: "1")
            else { return false }
        }
        return true
    }

    /// Levels up, then a pointer or `#`.
    private static func isRelativeJSONPointer(_ text: UnsafeRawBufferPointer) -> Bool {
        let digits = text.prefix { $0.isDigit }
        guard !digits.isEmpty, digits.count == 1 || text[0] != UInt8(ascii: "0") else { return false }
        let rest = UnsafeRawBufferPointer(rebasing: text[digits.endIndex...])
        return rest.elementsEqual([UInt8(ascii: "#")]) || isJSONPointer(rest)
    }
}

extension UInt8 {
    var isDigit: Bool { self &- 0x30 <= 9 }
    var isLetter: Bool { (self | 0x20) &- 0x61 < 26 }
    var isHexadecimal: Bool { isDigit || (self | 0x20) &- 0x61 < 6 }
}
