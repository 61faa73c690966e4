/// The strings extension. Positions count code points.
extension FunctionLibrary {
    static func addStringExtensions(_ group: inout FunctionGroup) {
        addSearching(&group)
        addSlicing(&group)
        addRewriting(&group)
        addJoining(&group)
        group.binary("(string).format(list(A)) -> string") { (format, arguments, context) throws(EvaluationError) in
            guard case .string(let text) = format, case .list(let list) = arguments else {
                throw .noSuchOverload("format", format, arguments)
            }
            return .string(try formatted(text, list, context))
        }
    }

    private static func addSearching(_ group: inout FunctionGroup) {
        group.variadic("(string).indexOf(string) -> int", "(string).indexOf(string, int) -> int") {
            (arguments, context) throws(EvaluationError) in
            let (text, part, start) = try search("indexOf", arguments, context)
            let offset = try start.map { (index) throws(EvaluationError) in try byteOffset(index, in: text) } ?? 0
            return .int(
                firstOffset(of: part.utf8, in: text.utf8, from: offset).map { Int64(text.index(ofByte: $0)) } ?? -1)
        }
        group.variadic("(string).lastIndexOf(string) -> int", "(string).lastIndexOf(string, int) -> int") {
            (arguments, context) throws(EvaluationError) in
            let (text, part, start) = try search("lastIndexOf", arguments, context)
            let offset = try start.map { (index) throws(EvaluationError) in try byteOffset(index, in: text) }
            let found = lastOffset(of: part.utf8, in: text.utf8, from: offset ?? text.utf8.count)
            return .int(found.map { Int64(text.index(ofByte: $0)) } ?? -1)
        }
    }

    private static func search(
        _ name: String, _ arguments: [Value], _ context: EvaluationContext
    ) throws(EvaluationError) -> (text: Text, part: Text, start: Int64?) {
        guard (2...3).contains(arguments.count), case .string(let text) = arguments[0],
            case .string(let part) = arguments[1]
        else { throw noSuchOverload(name, arguments) }
        try context.charge(bytes: text.utf8.count * max(1, part.utf8.count / 8))
        guard arguments.count == 3 else { return (text, part, nil) }
        guard case .int(let start) = arguments[2] else { throw noSuchOverload(name, arguments) }
        return (text, part, start)
    }

    private static func addSlicing(_ group: inout FunctionGroup) {
        group.binary("(string).charAt(int) -> string") { (value, index, context) throws(EvaluationError) in
            guard case .string(let text) = value, case .int(let index) = index else {
                throw .noSuchOverload("charAt", value, index)
            }
            try context.charge(bytes: text.utf8.count)
            let start = try byteOffset(index, in: text)
            var end = min(start + 1, text.utf8.count)
            while end < text.utf8.count, text.utf8[end] & 0xC0 == 0x80 { end += 1 }
            return .string(Text(text.utf8[start..<end]))
        }
        group.variadic("(string).substring(int) -> string", "(string).substring(int, int) -> string") {
            (arguments, context) throws(EvaluationError) in
            guard (2...3).contains(arguments.count), case .string(let text) = arguments[0],
                case .int(let start) = arguments[1]
            else { throw noSuchOverload("substring", arguments) }
            try context.charge(bytes: text.utf8.count)
            let startOffset = try byteOffset(start, in: text)
            guard arguments.count == 3 else { return .string(Text(text.utf8[startOffset...])) }
            guard case .int(let end) = arguments[2] else { throw noSuchOverload("substring", arguments) }
            let endOffset = try byteOffset(end, in: text)
            guard startOffset <= endOffset else {
                throw EvaluationError(.indexOutOfRange, "invalid substring range. start: \(start), end: \(end)")
            }
            return .string(Text(text.utf8[startOffset..<endOffset]))
        }
        group.variadic("(string).split(string) -> list(string)", "(string).split(string, int) -> list(string)") {
            (arguments, context) throws(EvaluationError) in
            guard (2...3).contains(arguments.count), case .string(let text) = arguments[0],
                case .string(let separator) = arguments[1]
            else { throw noSuchOverload("split", arguments) }
            var limit: Int64 = -1
            if arguments.count == 3 {
                guard case .int(let given) = arguments[2] else { throw noSuchOverload("split", arguments) }
                limit = given
            }
            try context.charge(bytes: text.utf8.count * 2)
            return .list(split(text, by: separator, limit: limit).map { .string($0) })
        }
    }

    /// The parts between separators, all of them if the limit is negative; an empty separator stands between code points.
    private static func split(_ text: Text, by separator: Text, limit: Int64) -> [Text] {
        guard limit != 0 else { return [] }
        var parts: [Text] = []
        var start = 0
        while limit < 0 || parts.count < limit - 1 {
            if separator.utf8.isEmpty {
                var end = start + 1
                while end < text.utf8.count, text.utf8[end] & 0xC0 == 0x80 { end += 1 }
                guard end < text.utf8.count else { break }
                parts.append(Text(text.utf8[start..<end]))
                start = end
            } else {
                guard let end = firstOffset(of: separator.utf8, in: text.utf8, from: start) else { break }
                parts.append(Text(text.utf8[start..<end]))
                start = end + separator.utf8.count
            }
        }
        if separator.utf8.isEmpty, text.utf8.isEmpty { return [] }
        parts.append(Text(text.utf8[start...]))
        return parts
    }

    private static func addRewriting(_ group: inout FunctionGroup) {
        rewrite(&group, "lowerAscii") {
            $0.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
        }
        rewrite(&group, "upperAscii") {
            $0.map { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) ? $0 & 0xDF : $0 }
        }
        rewrite(&group, "trim", trimmed)
        group.variadic(
            "(string).replace(string, string) -> string", "(string).replace(string, string, int) -> string"
        ) { (arguments, context) throws(EvaluationError) in
            guard (3...4).contains(arguments.count), case .string(let text) = arguments[0],
                case .string(let old) = arguments[1], case .string(let new) = arguments[2]
            else { throw noSuchOverload("replace", arguments) }
            var limit: Int64 = -1
            if arguments.count == 4 {
                guard case .int(let given) = arguments[3] else { throw noSuchOverload("replace", arguments) }
                limit = given
            }
            return .string(try replaced(text, old, new, limit: limit, context))
        }
        group.unary("strings.quote(string) -> string") { (value, context) throws(EvaluationError) in
            guard case .string(let text) = value else { throw .noSuchOverload("strings.quote", value) }
            try context.charge(bytes: text.utf8.count)
            return .string(quoted(text))
        }
    }

    private static func rewrite(
        _ group: inout FunctionGroup, _ name: String, _ body: @escaping @Sendable ([UInt8]) -> [UInt8]
    ) {
        group.unary("(string).\(name)() -> string") { (value, context) throws(EvaluationError) in
            guard case .string(let text) = value else { throw .noSuchOverload(name, value) }
            try context.charge(bytes: text.utf8.count)
            return .string(Text(validUTF8: body(text.utf8)))
        }
    }

    @Sendable
    private static func trimmed(_ utf8: [UInt8]) -> [UInt8] {
        let scalars = Array(String(decoding: utf8, as: UTF8.self).unicodeScalars)
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return [] }
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars[first...last])
        return Array(String(view).utf8)
    }

    private static func replaced(
        _ text: Text, _ old: Text, _ new: Text, limit: Int64, _ context: EvaluationContext
    ) throws(EvaluationError) -> Text {
        try context.charge(bytes: text.utf8.count)
        var result: [UInt8] = []
        var start = 0
        var count: Int64 = 0
        while limit < 0 || count < limit, start <= text.utf8.count,
            let found = firstOffset(of: old.utf8, in: text.utf8, from: start)
        {
            try context.charge(1 + new.utf8.count / 10)
            result += text.utf8[start..<found]
            result += new.utf8
            start = found + old.utf8.count
            if old.utf8.isEmpty {
                // Nothing is found before each code point and at the end.
                guard start < text.utf8.count else {
                    start = text.utf8.count + 1
                    break
                }
                var end = start + 1
                while end < text.utf8.count, text.utf8[end] & 0xC0 == 0x80 { end += 1 }
                result += text.utf8[start..<end]
                start = end
            }
            count += 1
        }
        if start <= text.utf8.count { result += text.utf8[start...] }
        return Text(validUTF8: result)
    }

    private static func quoted(_ text: Text) -> Text {
        let escapes: [UInt8: String] = [
            0x07: "\\a", 0x08: "\\b", 0x0C: "\\f", 0x0A: "\\n", 0x0D: "\\r", 0x09: "\\t", 0x0B: "\\v",
            UInt8(ascii: "\\"): "\\\\", UInt8(ascii: "\""): "\\\"",
        ]
        var result: [UInt8] = [UInt8(ascii: "\"")]
        for byte in text.utf8 {
            if let escape = escapes[byte] { result += escape.utf8 } else { result.append(byte) }
        }
        result.append(UInt8(ascii: "\""))
        return Text(validUTF8: result)
    }

    private static func addJoining(_ group: inout FunctionGroup) {
        group.variadic("(list(string)).join() -> string", "(list(string)).join(string) -> string") {
            (arguments, context) throws(EvaluationError) in
            guard case .list(let list)? = arguments.first else { throw noSuchOverload("join", arguments) }
            var separator: [UInt8] = []
            if arguments.count == 2 {
                guard case .string(let given) = arguments[1] else { throw noSuchOverload("join", arguments) }
                separator = given.utf8
            }
            var result: [UInt8] = []
            for (index, element) in list.enumerated() {
                guard case .string(let text) = element else { throw noSuchOverload("join", arguments) }
                try context.charge(1 + (text.utf8.count + separator.count) / 10)
                if index > 0 { result += separator }
                result += text.utf8
            }
            return .string(Text(validUTF8: result))
        }
        group.unary("(string).reverse() -> string", "(list(A)).reverse() -> list(A)") {
            (value, context) throws(EvaluationError) in
            switch value {
            case .string(let text):
                try context.charge(bytes: text.utf8.count)
                var view = String.UnicodeScalarView()
                view.append(contentsOf: text.scalars.reversed())
                return .string(Text(String(view)))
            case .list(let list):
                try context.charge(list.count)
                return .list(list.reversed())
            default: throw .noSuchOverload("reverse", value)
            }
        }
        group.variadic("(string).padStart(int, string) -> string") { (arguments, context) throws(EvaluationError) in
            guard arguments.count == 3, case .string(let text) = arguments[0], case .int(let width) = arguments[1],
                case .string(let fill) = arguments[2]
            else { throw noSuchOverload("padStart", arguments) }
            guard fill.count == 1 else { throw .invalid("padStart(): the fill is one character, not '\(fill)'") }
            let count = text.count
            guard width > count else { return .string(text) }
            let missing = Int(width) - count
            try context.charge(missing)
            var result: [UInt8] = []
            for _ in 0..<missing { result += fill.utf8 }
            return .string(Text(validUTF8: result + text.utf8))
        }
        group.unary("(string).codepoints() -> list(int)") { (value, context) throws(EvaluationError) in
            guard case .string(let text) = value else { throw .noSuchOverload("codepoints", value) }
            try context.charge(text.utf8.count)
            return .list(text.scalars.map { .int(Int64($0.value)) })
        }
    }
}
