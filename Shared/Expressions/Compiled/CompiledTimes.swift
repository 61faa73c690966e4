import JSON

/// Timestamps and durations.
extension Compiler {
    func specialInstant(_ node: Node) -> Code<Instant>? {
        switch node.operation {
        case .constant(.timestamp(let value)): return { _ in value }
        case .field(let field) where field.type == .timestamp:
            let place = FieldPlace(field)
            return { context throws(Unusual) in try Self.instant(try context.textField(place)) }
        case .variable(let slot, _):
            return { context throws(Unusual) in
                guard case .timestamp(let value)? = context.variables[slot].value else { throw Unusual() }
                return value
            }
        case .conditional: return conditional(node, instant)
        case .call(let function, let arguments): return instantCall(function.name, arguments)
        default: return nil
        }
    }

    @inline(__always)
    static func instant(_ slice: TextSlice) throws(Unusual) -> Instant {
        guard let instant = Instant(rfc3339: slice.bytes), FunctionLibrary.isInRange(instant) else { throw Unusual() }
        return instant
    }

    /// Nanoseconds.
    @inline(__always)
    static func distance(from start: Instant, to end: Instant) throws(Unusual) -> Int64 {
        let seconds = end.seconds &- start.seconds
        // Some hundred years either way fit whatever the fractions are; timestamps are within ten thousand years.
        guard seconds.magnitude < 9_000_000_000 else {
            do { return try FunctionLibrary.distance(from: start, to: end) } catch { throw Unusual() }
        }
        return seconds &* 1_000_000_000 &+ Int64(end.nanoseconds &- start.nanoseconds)
    }

    private func instantCall(_ name: String, _ arguments: [Node]) -> Code<Instant>? {
        switch (name, arguments.map { type($0) }) {
        case ("now", []): return { context in context.currentInstant() }
        case ("timestamp", [.string]):
            let operand = text(arguments[0])
            return { context throws(Unusual) in try Self.instant(try operand(context)) }
        case ("timestamp", [.dyn]):
            guard case .field(let field) = arguments[0].operation else { return nil }
            let place = FieldPlace(field)
            return { context throws(Unusual) in try Self.instant(try context.textField(place)) }
        case ("_+_", [.timestamp, .duration]):
            let (time, span) = (instant(arguments[0]), duration(arguments[1]))
            return { context throws(Unusual) in
                let (start, nanoseconds) = (try time(context), try span(context))
                do { return try FunctionLibrary.shift(start, by: nanoseconds) } catch { throw Unusual() }
            }
        case ("_-_", [.timestamp, .duration]):
            let (time, span) = (instant(arguments[0]), duration(arguments[1]))
            return { context throws(Unusual) in
                let (end, nanoseconds) = (try time(context), try span(context))
                guard nanoseconds != .min else { throw Unusual() }
                do { return try FunctionLibrary.shift(end, by: -nanoseconds) } catch { throw Unusual() }
            }
        default: return nil
        }
    }

    func specialDuration(_ node: Node) -> Code<Int64>? {
        switch node.operation {
        case .constant(.duration(let value)): return { _ in value }
        case .variable(let slot, _):
            return { context throws(Unusual) in
                guard case .duration(let value)? = context.variables[slot].value else { throw Unusual() }
                return value
            }
        case .conditional: return conditional(node, duration)
        case .call(let function, let arguments):
            guard function.name == "_-_", arguments.map({ type($0) }) == [.timestamp, .timestamp] else { return nil }
            let (end, start) = (InstantOperand(arguments[0], in: self), InstantOperand(arguments[1], in: self))
            return { context throws(Unusual) in
                let last = try end.read(context)
                return try Self.distance(from: try start.read(context), to: last)
            }
        default: return nil
        }
    }
}
