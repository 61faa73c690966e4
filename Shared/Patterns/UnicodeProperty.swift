/// The properties of `\p{...}` that RE2 has: general categories and scripts (ECMA-262, tables 67 and 68).
enum UnicodeProperty {
    static func set(_ name: String, isNegated: Bool, at offset: Int) throws(PatternError) -> ScalarSet {
        let letter = isNegated ? "P" : "p"
        switch name {
        case "Any":
            return isNegated ? ScalarSet() : ScalarSet(ranges: [0...0x10FFFF])
        case "ASCII":
            return ScalarSet(ranges: isNegated ? [0x80...0x10FFFF] : [0...0x7F])
        default: break
        }
        let parts = name.split(separator: "=", omittingEmptySubsequences: false)
        if parts.count == 2 {
            switch parts[0] {
            case "General_Category", "gc":
                if let category = category(String(parts[1])) {
                    return ScalarSet(properties: ["\\\(letter){\(category)}"])
                }
            case "Script", "sc":
                // RE2 knows scripts by the same names, and says which it does not know.
                if isName(parts[1]) { return ScalarSet(properties: ["\\\(letter){\(parts[1])}"]) }
            default: break
            }
        } else if let category = category(name) {
            return ScalarSet(properties: ["\\\(letter){\(category)}"])
        }
        throw PatternError(
            "\\\(letter){\(name)} is not supported: known are general categories and scripts", at: offset)
    }

    private static func isName(_ text: Substring) -> Bool {
        !text.isEmpty && text.unicodeScalars.allSatisfy { $0.isASCII && ($0.properties.isAlphabetic || $0 == "_") }
    }

    /// The short name of a general category.
    private static func category(_ name: String) -> String? {
        categories.values.contains(name) ? name : categories[name]
    }

    private static let categories: [String: String] = [
        "Letter": "L", "Uppercase_Letter": "Lu", "Lowercase_Letter": "Ll", "Titlecase_Letter": "Lt",
        "Modifier_Letter": "Lm",
        "Other_Letter": "Lo", "Mark": "M", "Combining_Mark": "M", "Nonspacing_Mark": "Mn", "Spacing_Mark": "Mc",
        "Enclosing_Mark": "Me", "Number": "N", "Decimal_Number": "Nd", "digit": "Nd", "Letter_Number": "Nl",
        "Other_Number": "No", "Punctuation": "P", "punct": "P", "Connector_Punctuation": "Pc", "Dash_Punctuation": "Pd",
        "Open_Punctuation": "Ps", "Close_Punctuation": "Pe", "Initial_Punctuation": "Pi", "Final_Punctuation": "Pf",
        "Other_Punctuation": "Po", "Symbol": "S", "Math_Symbol": "Sm", "Currency_Symbol": "Sc", "Modifier_Symbol": "Sk",
        "Other_Symbol": "So", "Separator": "Z", "Space_Separator": "Zs", "Line_Separator": "Zl",
        "Paragraph_Separator": "Zp", "Other": "C", "Control": "Cc", "cntrl": "Cc", "Format": "Cf", "Private_Use": "Co",
    ]
}
