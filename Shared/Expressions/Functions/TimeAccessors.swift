import JSON

/// The parts of timestamps, in UTC or in a time zone, and of durations.
extension FunctionLibrary {
    static func addTimeAccessors(_ group: inout FunctionGroup) {
        accessor(&group, "getFullYear") { $0.year }
        accessor(&group, "getMonth") { $0.month - 1 }
        accessor(&group, "getDayOfYear") { $0.dayOfYear - 1 }
        accessor(&group, "getDayOfMonth") { $0.day - 1 }
        accessor(&group, "getDate") { $0.day }
        accessor(&group, "getDayOfWeek") { $0.weekday }
        accessor(&group, "getHours", nanosecondsPerUnit: 3_600_000_000_000) { $0.hour }
        accessor(&group, "getMinutes", nanosecondsPerUnit: 60_000_000_000) { $0.minute }
        accessor(&group, "getSeconds", nanosecondsPerUnit: 1_000_000_000) { $0.second }
        accessor(&group, "getMilliseconds", nanosecondsPerUnit: 1_000_000) { $0.nanosecond / 1_000_000 }

        group.unary("milliseconds(duration) -> int") { (value, _) throws(EvaluationError) in
            guard case .duration(let nanoseconds) = value else { throw .noSuchOverload("milliseconds", value) }
            return .int(nanoseconds / 1_000_000)
        }
        group.variadic("now() -> timestamp", isPure: false) { (_, context) in .timestamp(context.currentInstant()) }
    }

    private static func accessor(
        _ group: inout FunctionGroup, _ name: String, nanosecondsPerUnit: Int64? = nil,
        _ part: @escaping @Sendable (CivilTime) -> Int
    ) {
        var signatures = ["(timestamp).\(name)() -> int", "(timestamp).\(name)(string) -> int"]
        if nanosecondsPerUnit != nil { signatures.append("(duration).\(name)() -> int") }
        group.add(
            signatures,
            .variadic { (arguments, _) throws(EvaluationError) in
                switch arguments.first {
                case .timestamp(let instant) where arguments.count == 1:
                    return .int(Int64(part(CivilTime(instant))))
                case .timestamp(let instant) where arguments.count == 2:
                    guard case .string(let zone) = arguments[1] else { throw noSuchOverload(name, arguments) }
                    let offset = try TimeZones.offsetSeconds(of: zone, at: instant)
                    return .int(Int64(part(CivilTime(instant, offsetSeconds: offset))))
                case .duration(let nanoseconds) where arguments.count == 1:
                    guard let nanosecondsPerUnit else { throw noSuchOverload(name, arguments) }
                    // Of a duration these are totals, but for the milliseconds, which are those of its last second.
                    let units = nanoseconds / nanosecondsPerUnit
                    return .int(nanosecondsPerUnit == 1_000_000 ? units % 1_000 : units)
                default: throw noSuchOverload(name, arguments)
                }
            })
    }
}
