/// Properties that suit a service which copies records in transactions; a later value replaces them.
public enum KafkaDefaults {
    public typealias Properties = [(name: String, value: String)]

    /// What every client has.
    public static func connection() -> Properties {
        var properties: Properties = [
            ("socket.nagle.disable", "true"),
            // librdkafka connects to the brokers that it learns of no sooner than half of this after the first: 50 ms for each
            // client at every start, unless told.
            ("reconnect.backoff.ms", "20"),
            // A broker that comes back is found within a second, not ten.
            ("reconnect.backoff.max.ms", "1000"),
            // Topics that do not exist yet are looked for this often, not every five minutes.
            ("topic.metadata.refresh.interval.ms", "5000"),
        ]
        // From 2.11 the default is to begin anew with the bootstrap servers once all brokers were lost: adding offsets to a
        // transaction was seen to wait for ever after that.
        if KafkaConfiguration.isKnown("metadata.recovery.strategy") {
            properties.append(("metadata.recovery.strategy", "none"))
        }
        return properties
    }

    /// A consumer whose offsets, and whose place to begin, are the caller's affair.
    public static func consumer() -> Properties {
        var properties: Properties = [
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            ("isolation.level", "read_committed"),
            ("auto.offset.reset", "error"),
            ("enable.partition.eof", "true"),
            // Cooperative assignors lose or repeat records before librdkafka 2.10 (offsets committed in a rebalance).
            ("partition.assignment.strategy", "range"),
        ]
        // A backlog of 200-byte orders in four partitions: 85 to 88 MB resident in the enricher, 86 to 93 with 5,000, 108 with 15,000,
        // and those no faster. Fetches of half a megabyte a partition save 10 MB more, for a tenth of the CPU.
        if KafkaConfiguration.isKnown("fetch.queue.backoff.ms") {
            properties += [("queued.min.messages", "3000"), ("fetch.queue.backoff.ms", "2")]
        } else {
            // Before 2.2.0 librdkafka then pauses for up to a second: 60,000 records a second; see FetchNudge.
            properties.append(("queued.min.messages", "15000"))
        }
        return connection() + properties
    }

    public static func producer() -> Properties {
        connection() + [
            // A callback for each record that was written would say nothing that the commit does not.
            ("delivery.report.only.error", "true"),
            // Within a transaction nobody waits for a request, and a flush does not wait for it to pass. So a request leaves when it is
            // full, or at the commit: fewer of them, and the thread that writes them is less often at the same memory as the
            // one that makes records. With 20 ms a copying service took a tenth more CPU.
            ("linger.ms", "500"),
            // With the default of 100,000 the enricher takes 92 MB on a backlog, with 30,000 83, with 20,000 74, for the same CPU; but with
            // 20,000 copying alone is a quarter slower, for it waits more often.
            ("queue.buffering.max.messages", "40000"),
            ("max.in.flight", "1"),
        ]
    }
}
