internal import Glibc
public import Metrics

/// What Prometheus's client libraries tell of every process, under their names.
public enum ProcessMetrics {
    static let cpu = MetricFamily.counter(
        "process_cpu_seconds_total", help: "CPU time of all threads, user and system.", unit: .microseconds)
    static let residentMemory = MetricFamily.gauge(
        "process_resident_memory_bytes", help: "Memory that is resident.")
    static let openFiles = MetricFamily.gauge("process_open_fds", help: "File descriptors that are open.")
    static let startTime = MetricFamily.gauge(
        "process_start_time_seconds", help: "When the process started, since 1970.", unit: .milliseconds)

    /// Registers them; they are looked up whenever metrics are read.
    public static func register(in registry: MetricsRegistry) throws(MetricError) {
        let cpu = try registry.register(cpu)
        let residentMemory = try registry.register(residentMemory)
        let openFiles = try registry.register(openFiles)
        try registry.register(startTime).set(to: Int(clamping: LogClock.system.epochMilliseconds()))
        registry.onRead {
            cpu.set(to: cpuMicroseconds())
            if let bytes = residentBytes() { residentMemory.set(to: bytes) }
            if let count = openFileCount() { openFiles.set(to: count) }
        }
    }

    private static func cpuMicroseconds() -> Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
        return seconds * 1_000_000 + Int(usage.ru_utime.tv_usec) + Int(usage.ru_stime.tv_usec)
    }

    private static func residentBytes() -> Int? {
        guard let statm = try? FileSystem.read("/proc/self/statm", limit: 4_096) else { return nil }
        let numbers = String(decoding: statm, as: UTF8.self).split(separator: " ")
        return numbers.count > 1 ? Int(numbers[1]).map { $0 * sysconf(Int32(_SC_PAGESIZE)) } : nil
    }

    private static func openFileCount() -> Int? {
        guard let folder = opendir("/proc/self/fd") else { return nil }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        // Without `.`, `..` and the folder itself.
        return max(0, count - 3)
    }
}
