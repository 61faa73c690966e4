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

    private static func instant(_ slice: TextSlice) throws(Unusual) -> Instant {
        guard let instant = Instant(rfc3339: slice.bytes) else { throw Unusual() }
        do { return try FunctionLibrary.inRange(instant) } catch { throw Unusual() }
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
            let (end, start) = (instant(arguments[0]), instant(arguments[1]))
            return { context throws(Unusual) in
                let (last, first) = (try end(context), try start(context))
                do { return try FunctionLibrary.distance(from: first, to: last) } catch { throw Unusual() }
            }
        default: return nil
        }
    }
}
