internal import JSON

/// JSON pointers (RFC 6901): where ``Violation``s and ``SchemaProblem``s are.
public enum JSONPointer {
    static func escape(_ token: String) -> String {
        guard token.utf8.contains(where: { $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: "/") }) else { return token }
        var text = ""
        for character in token.unicodeScalars {
            switch character {
            case "~": text += "~0"
            case "/": text += "~1"
            default: text.unicodeScalars.append(character)
            }
        }
        return text
    }

    /// The reference tokens of a pointer that begins with a slash, unescaped: of `/items/0/a~1b`, items, 0 and a/b.
    public static func tokens(_ pointer: String) -> [String] {
        pointer.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map { token in
            var text: [UInt8] = []
            var rest = token
            while let byte = rest.popFirst() {
                if byte == UInt8(ascii: "~"), let code = rest.first,
                    code == UInt8(ascii: "0") || code == UInt8(ascii: "1")
                {
                    text.append(code == UInt8(ascii: "0") ? UInt8(ascii: "~") : UInt8(ascii: "/"))
                    rest.removeFirst()
                } else {
                    text.append(byte)
                }
            }
            return String(decoding: text, as: UTF8.self)
        }
    }

    static func step(_ value: JSONValue, _ token: String) -> JSONValue? {
        if value.kind == .object { return value.member(token) }
        guard let index = Int(token), String(index) == token else { return nil }
        return value.element(index)
    }

    /// The pointer from `root` to a value within it; for a key, to its object.
    static func pointer(to value: JSONValue, from root: JSONValue) -> String {
        var text = ""
        var current = root
        descent: while current.offset != value.offset {
            if current.kind == .object {
                for (key, child) in current.members where child.contains(value) {
                    text += "/" + escape(key.string)
                    current = child
                    continue descent
                }
            } else {
                for (index, child) in current.elements.enumerated() where child.contains(value) {
                    text += "/\(index)"
                    current = child
                    continue descent
                }
            }
            break
        }
        return text
    }
}

extension JSONValue {
    fileprivate func contains(_ value: JSONValue) -> Bool {
        value.offset >= offset && value.offset < offset + bytes.count
    }
}
