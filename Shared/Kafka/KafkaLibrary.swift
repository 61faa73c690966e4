internal import CLibrdkafka

/// The librdkafka that this process runs with: the one installed, not the one whose headers it was built with.
public enum KafkaLibrary {
    /// As librdkafka writes it: `2.0.2`.
    public static var version: String { String(cString: rd_kafka_version_str()) }

    /// Major, minor, revision, a byte each, and a byte that is 0xff in releases: 2.0.2 is 0x020002ff.
    public static var versionNumber: Int { Int(rd_kafka_version()) }

    /// From 2.3.0 the idempotent producer no longer takes a record that may have been written for a fatal gap.
    public static var isAtLeast2_3: Bool { versionNumber >= 0x0203_00ff }

    /// Before 2.6.1 the client's nonce stood twice in a SCRAM exchange; Kafka 4 compares it, and refuses.
    public static var canScramWithKafka4: Bool { versionNumber >= 0x0206_01ff }
}

extension Duration {
    /// Whole milliseconds, rounded up, as librdkafka's time-outs are; never negative, which it would take for "for ever".
    var timeoutMilliseconds: Int32 {
        let (seconds, attoseconds) = components
        if seconds < 0 || attoseconds < 0 { return 0 }
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000)
        if overflow { return Int32.max }
        return Int32(
            clamping: whole.addingReportingOverflow((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000).0)
    }
}
