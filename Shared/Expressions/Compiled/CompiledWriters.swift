import JSON

/// A writer as an optional can hold it: a bare closure would be wrapped, and each wrapping costs a call.
struct SpecialWriter: Sendable {
    let write: Writer
}

/// Whole expressions whose value need not be made before it is written.
extension Compiler {
    func specialWriter() -> SpecialWriter? {
        guard let (name, arguments) = call(program.root) else { return nil }
        switch (name, arguments.map { type($0) }) {
        case ("string", [.decimal]): return quotedDecimal(decimal(arguments[0]))
        case ("now", []):
            return SpecialWriter { context, output throws(Unusual) in
                context.write(context.currentInstant(), to: output)
            }
        case ("_+_", [.string, .string]): return concatenationWriter()
        default: return nil
        }
    }

    private func quotedDecimal(_ operand: @escaping Code<Decimal>) -> SpecialWriter {
        SpecialWriter { context, output throws(Unusual) in
            output.appendQuoted(try operand(context))
        }
    }

    /// One or two strings with short constants before, between and behind them, which are copied as blocks: the quotes are part of
    /// them.
    private func concatenationWriter() -> SpecialWriter? {
        var constants: [[UInt8]] = [Array("\"".utf8)]
        var parts: [TextOperand] = []
        for term in terms(program.root) {
            if case .string(let constant)? = term.constant {
                guard constant.utf8.withUnsafeBytes({ OutputBuffer.isPlain($0) }) else { return nil }
                constants[constants.count - 1] += constant.utf8
            } else {
                parts.append(TextOperand(term, in: self))
                constants.append([])
            }
        }
        guard let first = parts.first, parts.count <= 2 else { return nil }
        constants[constants.count - 1] += Array("\"".utf8)
        if parts.count == 1 { constants.append([]) }
        guard constants.allSatisfy({ $0.count <= 16 }) else { return nil }
        let second = parts.count > 1 ? parts[1] : TextOperand(constant: [])
        let whole = text(program.root)
        let (before, between, behind) = (
            PinnedText(constants[0]), PinnedText(constants[1]), PinnedText(constants[2])
        )
        return SpecialWriter { context, output throws(Unusual) in
            let a = try first.read(context)
            let b = try second.read(context)
            guard a.isPlain, b.isPlain else { return output.appendQuoted(try whole(context)) }
            output.write(atMost: a.count &+ b.count &+ 48) { target in
                var end = before.appendBlock(to: target)
                ShortCopy.copy(a.base, to: end, count: a.count)
                end = between.appendBlock(to: end + a.count)
                ShortCopy.copy(b.base, to: end, count: b.count)
                end = behind.appendBlock(to: end + b.count)
                return end - target
            }
        }
    }
}

extension PinnedText {
    /// Copies a text of 16 bytes at most and answers where it ends.
    @inline(__always)
    fileprivate func appendBlock(to target: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
        target.storeBytes(of: slice.base.loadUnaligned(as: SIMD2<UInt64>.self), as: SIMD2<UInt64>.self)
        return target + slice.count
    }
}
