/// `${NAME}` and `${NAME:-default}` in a scalar's text; `$${` stands for `${`.
///
/// It works on text that is parsed already, so a variable's value can never add keys or lists. What follows `:-` is used where
/// the variable is not set or empty, as in a shell.
enum Substitution {
    struct Failure: Error {
        let message: String
    }

    static func apply(to text: String, _ variables: (String) -> String?) throws(Failure) -> String {
        var rest = text.utf8[...]
        guard rest.contains(UInt8(ascii: "$")) else { return text }
        var result: [UInt8] = []
        while let byte = rest.first {
            if rest.starts(with: "$${".utf8) {
                result += "${".utf8
                rest = rest.dropFirst(3)
            } else if rest.starts(with: "${".utf8) {
                rest = rest.dropFirst(2)
                guard let end = rest.firstIndex(of: UInt8(ascii: "}")) else {
                    throw Failure(message: "${ without }; write $${ for the characters ${")
                }
                result += try value(of: String(Substring(rest[..<end])), variables).utf8
                rest = rest[end...].dropFirst()
            } else {
                result.append(byte)
                rest = rest.dropFirst()
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func value(of expression: String, _ variables: (String) -> String?) throws(Failure) -> String {
        let name = expression.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
        let rest = expression[name.endIndex...]
        guard let first = name.first, !first.isNumber, rest.isEmpty || rest.hasPrefix(":-"), !rest.contains("${") else {
            throw Failure(
                message: "${\(expression)} is neither ${NAME} nor ${NAME:-default}; write $${ for the characters ${")
        }
        let value = variables(String(name))
        if rest.isEmpty {
            guard let value else {
                throw Failure(
                    message: "the environment variable \(name) is not set; set it, or write ${\(name):-default}")
            }
            return value
        }
        if let value, !value.isEmpty { return value }
        return String(rest.dropFirst(2))
    }
}
