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
            let allocationsBefore = allocation_count()
            let before = threadNanoseconds()
            sink &+= body()
            let elapsed = threadNanoseconds() - before
            allocations = min(allocations, allocation_count() - allocationsBefore)
            nanoseconds.append(Double(elapsed) / Double(operations))
        }
        nanoseconds.sort()
        let perOperation = Double(allocations) / Double(operations)
        print(
            "\(pad(name, 52)) \(pad(rounded(nanoseconds[4]), 8)) ns   min \(pad(rounded(nanoseconds[0]), 8))"
                + " \(rounded(perOperation)) allocations  [\(sink & 0xFF)]")
    }

    private static func threadNanoseconds() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }

    private static func rounded(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
