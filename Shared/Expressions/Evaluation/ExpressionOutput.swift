public import JSON

extension Expression {
    /// Appends the value as JSON: decimals and doubles as numbers, timestamps, durations (`"1.5s"`) and bytes (base64) as
    /// strings, maps as objects.
    ///
    /// - Returns: false if the value is an empty optional: then nothing is written, and the caller leaves the field out.
    /// - Throws: also for what JSON cannot hold: NaN and infinities.
    @discardableResult
    public func writeJSON(in context: EvaluationContext, to output: OutputBuffer) throws(EvaluationError) -> Bool {
        if context.begin(needs), writeSpecialised(in: context, to: output) { return true }
        return try write(try evaluateKeepingNumbers(in: context), to: output)
    }

    /// The same, and binds the value to a variable until the context's next record: what is computed once, later expressions
    /// read. What is written is what they read.
    @discardableResult
    public func writeJSON(
        in context: EvaluationContext, binding slot: VariableSlot, to output: OutputBuffer
    ) throws(EvaluationError) -> Bool {
        if context.begin(needs), let slice = try? text(context) {
            context.setForRecord(slot, copyOf: slice)
            output.appendQuoted(slice)
            return true
        }
        let value = try evaluate(in: context)
        context.setForRecord(slot, value)
        return try write(value, to: output)
    }

    private func write(_ value: Value, to output: OutputBuffer) throws(EvaluationError) -> Bool {
        if case .optional(nil) = value { return false }
        let start = output.count
        do {
            try value.writeJSON(to: output)
        } catch {
            output.truncate(to: start)
            throw error.at(program.root.offset).located(in: source)
        }
        return true
    }

    /// The same as ``writeBytes(in:to:)``, but text that stands in the record is not copied: good as long as the record's bytes and what
    /// `output` holds.
    public func bytes(
        in context: EvaluationContext, output: OutputBuffer
    ) throws(EvaluationError) -> UnsafeRawBufferPointer {
        output.removeAll()
        if context.begin(needs), let value = try? text(context) {
            let record = context.record.bytes
            if let base = record.baseAddress, value.base >= base, value.base + value.count <= base + record.count {
                return value.bytes
            }
            output.append(value.bytes)
        } else {
            try writeBytes(in: context, to: output)
        }
        return output.bytes
    }

    /// Appends the value by specialised code alone, which the context has places for. False: nothing was appended.
    private func writeSpecialised(in context: EvaluationContext, to output: OutputBuffer) -> Bool {
        guard isText else { return (try? writer(context, output)) != nil }
        guard let slice = try? text(context) else { return false }
        output.appendQuoted(slice)
        return true
    }

    /// Appends the bytes of a string or of bytes as they are: for keys, headers and topic names.
    public func writeBytes(in context: EvaluationContext, to output: OutputBuffer) throws(EvaluationError) {
        if context.begin(needs), let value = try? text(context) { return output.append(value.bytes) }
        let value = try evaluate(in: context)
        switch value {
        case .string(let text): text.utf8.withUnsafeBytes { output.append($0) }
        case .bytes(let bytes): bytes.withUnsafeBytes { output.append($0) }
        default: throw wrongType(value, "a string or bytes")
        }
    }
}

/// Appends a value as JSON, or nothing if that takes the general evaluator.
typealias Writer = @Sendable (EvaluationContext, OutputBuffer) throws(Unusual) -> Void

extension CompiledCode {
    var writer: Writer {
        switch self {
        case .bool(let code):
            return { context, output throws(Unusual) in output.append(try code(context) ? "true" : "false") }
        case .int(let code): return { context, output throws(Unusual) in output.append(try code(context)) }
        case .decimal(let code): return { context, output throws(Unusual) in output.append(try code(context)) }
        case .text(let code): return { context, output throws(Unusual) in output.appendQuoted(try code(context)) }
        case .instant(let code):
            return { context, output throws(Unusual) in context.write(try code(context), to: output) }
        case .double, .duration, .general: return { _, _ throws(Unusual) in throw Unusual() }
        }
    }
}

extension EvaluationContext {
    /// The time of a batch, as a rule, which is the same for many records.
    @inline(__always)
    func write(_ instant: Instant, to output: OutputBuffer) {
        if writtenInstant != instant {
            instantText.removeAll()
            instantText.appendQuoted(instant)
            writtenInstant = instant
        }
        // The buffer has room for more than it holds.
        let text = instantText.bytes
        if let base = text.baseAddress { output.append(blocks: base, count: text.count) }
    }
}

extension Value {
    /// Appends the value as JSON.
    public func writeJSON(to output: OutputBuffer) throws(EvaluationError) {
        switch self {
        case .null, .optional(nil): output.append("null")
        case .bool(let bool): output.append(bool ? "true" : "false")
        case .int(let int): output.append(int)
        case .uint(let uint): output.append(uint)
        case .decimal(let decimal): output.append(decimal)
        case .number(let number): number.text.utf8.withUnsafeBytes { output.append($0) }
        case .double(let double):
            guard double.isFinite else { throw .invalid("JSON has no \(formatDouble(double))") }
            output.append(formatDouble(double))
        case .string(let text): text.utf8.withUnsafeBytes { output.appendQuoted($0) }
        case .bytes(let bytes): Base64.encode(bytes).withUnsafeBytes { output.appendQuoted($0) }
        case .type(let type): output.appendQuoted(type.reflectedName)
        case .timestamp(let instant): output.appendQuoted(instant)
        case .duration: output.appendQuoted(scalarText ?? "")
        case .optional(let wrapped?): try wrapped.writeJSON(to: output)
        case .list(let list):
            output.append("[")
            for (index, element) in list.enumerated() {
                if index > 0 { output.append(",") }
                try element.writeJSON(to: output)
            }
            output.append("]")
        case .map(let map):
            output.append("{")
            for (index, entry) in map.entries.enumerated() {
                if index > 0 { output.append(",") }
                if case .string(let text) = entry.key {
                    text.utf8.withUnsafeBytes { output.appendQuoted($0) }
                } else {
                    output.appendQuoted(entry.key.scalarText ?? "")
                }
                output.append(":")
                try entry.value.writeJSON(to: output)
            }
            output.append("}")
        }
    }
}

extension OutputBuffer {
    @inline(__always)
    func appendQuoted(_ slice: TextSlice) {
        if slice.isPlain { appendQuoted(plain: slice.bytes) } else { appendQuoted(slice.bytes) }
    }

    /// A timestamp as JSON: milliseconds always, more digits where it has them, so that a column of them has one width.
    fileprivate func appendQuoted(_ instant: Instant) {
        append(UInt8(ascii: "\""))
        append(instant, fraction: instant.nanoseconds % 1_000_000 == 0 ? .exactly(3) : .asNeeded)
        append(UInt8(ascii: "\""))
    }
}
