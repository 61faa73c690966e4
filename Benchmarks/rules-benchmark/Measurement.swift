internal import CAllocationCounter
internal import Glibc

/// CPU time and allocations per operation: the median of nine loops on this thread.
enum Measurement {
    static func report(_ name: String, operations: Int, _ body: () -> Int) {
        // Arguments choose measurements by parts of their names.
        let chosen = CommandLine.arguments.dropFirst()
        guard chosen.isEmpty || chosen.contains(where: { name.hasPrefix($0) }) else { return }
        var sink = body()
        var nanoseconds: [Double] = []
        var allocations: UInt64 = .max
        for _ in 0..<9 {
            let used = once {
                let result = body()
                sink &+= result
                return result
            }
            allocations = min(allocations, used.allocations)
            nanoseconds.append(Double(used.nanoseconds) / Double(operations))
        }
        nanoseconds.sort()
        let perOperation = Double(allocations) / Double(operations)
        print(
            "\(pad(name, 52)) \(pad(rounded(nanoseconds[4]), 8)) ns   min \(pad(rounded(nanoseconds[0]), 8))"
                + " \(rounded(perOperation)) allocations  [\(sink & 0xFF)]")
    }

    /// What one call costs this thread.
    static func once(_ body: () -> Int) -> (nanoseconds: UInt64, allocations: UInt64) {
        let allocations = allocation_count()
        let before = threadNanoseconds()
        let result = body()
        let elapsed = threadNanoseconds() - before
        // The result is used, or there would be nothing to measure.
        unused &+= result
        return (UInt64(elapsed), allocation_count() - allocations)
    }

    nonisolated(unsafe) private static var unused = 0

    private static func threadNanoseconds() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }

    static func rounded(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
