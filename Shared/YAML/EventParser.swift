internal import CLibYAML

/// libyaml's parser: a document's events one after the other, as Swift values. Owns the C parser; its bytes outlive it.
struct EventParser: ~Copyable {
    enum Event {
        case streamStart, streamEnd, documentStart, documentEnd
        case alias(String)
        case scalar(String, YAMLScalar.Style, Properties)
        case sequenceStart(Properties)
        case sequenceEnd
        case mappingStart(Properties)
        case mappingEnd
    }

    /// What may stand before a node: `&anchor` and `!tag`.
    struct Properties {
        let anchor: String?
        let tag: String?
    }

    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let source: String
    private let bytes: UnsafeBufferPointer<UInt8>

    /// - Parameter bytes: must stay where they are as long as the parser is used.
    init(_ bytes: UnsafeBufferPointer<UInt8>, source: String) throws(YAMLError) {
        self.source = source
        self.bytes = bytes
        parser = .allocate(capacity: 1)
        guard yaml_parser_initialize(parser) != 0 else {
            parser.deallocate()
            throw YAMLError(problems: [.init(mark: YAMLMark(source: source), message: "not enough memory to read it")])
        }
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
    }

    mutating func next() throws(YAMLError) -> (event: Event, mark: YAMLMark) {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) != 0 else { throw YAMLError(problems: [problem()]) }
        defer { yaml_event_delete(&event) }
        return (Self.event(event), mark(event.start_mark))
    }

    private func mark(_ mark: yaml_mark_t) -> YAMLMark {
        YAMLMark(source: source, line: mark.line + 1, column: mark.column + 1)
    }

    private static func event(_ event: yaml_event_t) -> Event {
        switch event.type {
        case YAML_STREAM_START_EVENT: return .streamStart
        case YAML_DOCUMENT_START_EVENT: return .documentStart
        case YAML_DOCUMENT_END_EVENT: return .documentEnd
        case YAML_ALIAS_EVENT: return .alias(text(event.data.alias.anchor) ?? "")
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            let value = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            return .scalar(
                value, style(scalar.style), Properties(anchor: text(scalar.anchor), tag: tag(scalar.tag)))
        case YAML_SEQUENCE_START_EVENT:
            let start = event.data.sequence_start
            return .sequenceStart(Properties(anchor: text(start.anchor), tag: tag(start.tag)))
        case YAML_SEQUENCE_END_EVENT: return .sequenceEnd
        case YAML_MAPPING_START_EVENT:
            let start = event.data.mapping_start
            return .mappingStart(Properties(anchor: text(start.anchor), tag: tag(start.tag)))
        case YAML_MAPPING_END_EVENT: return .mappingEnd
        default: return .streamEnd
        }
    }

    private static func style(_ style: yaml_scalar_style_t) -> YAMLScalar.Style {
        switch style {
        case YAML_SINGLE_QUOTED_SCALAR_STYLE: .singleQuoted
        case YAML_DOUBLE_QUOTED_SCALAR_STYLE: .doubleQuoted
        case YAML_LITERAL_SCALAR_STYLE: .literal
        case YAML_FOLDED_SCALAR_STYLE: .folded
        default: .plain
        }
    }

    private static func text(_ pointer: UnsafePointer<yaml_char_t>?) -> String? {
        pointer.map { String(cString: $0) }
    }

    /// The non-specific tag `!` says "not resolved", which is a string.
    private static func tag(_ pointer: UnsafePointer<yaml_char_t>?) -> String? {
        text(pointer).map { $0 == "!" ? CoreTag.string.rawValue : $0 }
    }

    private func problem() -> YAMLError.Problem {
        let parser = parser.pointee
        let what = parser.problem.map { String(cString: $0) } ?? "not enough memory to read it"
        if parser.error == YAML_READER_ERROR {
            return YAMLError.Problem(mark: mark(atByte: parser.problem_offset), message: "not UTF-8 text: \(what)")
        }
        let at = parser.problem_mark
        switch characters(at) {
        case (_, UInt8(ascii: "\t")):
            return YAMLError.Problem(mark: mark(at), message: "a tab where only spaces may stand; indent with spaces")
        case (UInt8(ascii: "$"), UInt8(ascii: "{")):
            return YAMLError.Problem(mark: mark(at), message: "within [ ] and { } a value with ${...} must be quoted")
        default: break
        }
        let context = parser.context.map { " \(String(cString: $0))" } ?? ""
        let opened =
            parser.context_mark.line == at.line || parser.context == nil
            ? "" : " that begins on line \(parser.context_mark.line + 1)"
        return YAMLError.Problem(mark: mark(at), message: what + context + opened)
    }

    /// The byte before a mark and the one at it, on a line that is ASCII up to there; enough to give a hint.
    private func characters(_ mark: yaml_mark_t) -> (before: UInt8?, at: UInt8?) {
        var line = bytes[...]
        for _ in 0..<mark.line {
            guard let end = line.firstIndex(of: UInt8(ascii: "\n")) else { return (nil, nil) }
            line = line[(end + 1)...]
        }
        return (mark.column > 0 ? line.dropFirst(mark.column - 1).first : nil, line.dropFirst(mark.column).first)
    }

    private func mark(atByte offset: Int) -> YAMLMark {
        let before = bytes.prefix(offset)
        let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        let line = before.count { $0 == UInt8(ascii: "\n") } + 1
        let column = before[lineStart...].count { $0 & 0xC0 != 0x80 } + 1
        return YAMLMark(source: source, line: line, column: column)
    }
}
