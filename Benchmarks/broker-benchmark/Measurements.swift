import EmbeddedBroker
import Glibc

/// 16 kB, which a Java producer fills by default.
private let recordsPerBatch: Int32 = 75
/// What clients keep under way at most (max.in.flight.requests.per.connection).
private let requestsInFlight = 5
private let fetchBytes: Int32 = 1 << 20

func measure(_ arguments: [String]) throws {
    guard arguments.count >= 2, arguments[1].hasPrefix("127.0.0.1:"), let port = UInt16(arguments[1].dropFirst(10))
    else {
        throw BenchmarkError("give 127.0.0.1:PORT, and the number of records if it is not 2000000")
    }
    let records = arguments.count > 2 ? Int(arguments[2]) ?? 0 : 2_000_000
    guard records >= Int(recordsPerBatch) else {
        throw BenchmarkError("RECORDS is a number of at least \(recordsPerBatch)")
    }
    let batches = records / Int(recordsPerBatch)
    // What the Java virtual machine needs to warm up, before anything counts.
    let run = "benchmark-\(now())"
    try createTopic("\(run)-warm", port)
    _ = try produce(batches / 2, to: "\(run)-warm", port)
    _ = try fetch(batches / 2, from: "\(run)-warm", port)
    try createTopic(run, port)
    let produced = try produce(batches, to: run, port)
    let fetched = try fetch(batches, from: run, port)
    try createTopic("\(run)-lone", port)
    _ = try lone(500, in: "\(run)-lone", from: 0, port)
    let latencies = try lone(2_000, in: "\(run)-lone", from: 500, port).sorted()
    let count = Double(batches * Int(recordsPerBatch))
    print(
        """
        {"records": \(Int(count)), "produce_records_per_second": \(Int(count / produced)), \
        "fetch_records_per_second": \(Int(count / fetched)), \
        "latency_p50_ms": \(latencies[latencies.count / 2] * 1_000), \
        "latency_p99_ms": \(latencies[latencies.count * 99 / 100] * 1_000)}
        """)
}

/// Nanoseconds on a clock that only goes forward.
private func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

private func seconds(since start: UInt64) -> Double { Double(now() - start) / 1e9 }

private func createTopic(_ name: String, _ port: UInt16) throws {
    let connection = try Connection(port: port)
    try connection.ask(Requests.createTopic(name)) { _ in () }
    // Apache Kafka answers before the partition has its leader.
    for _ in 0..<3_000 {
        let found = try connection.ask(
            Requests.fetch(name, from: 0, patience: 0, maximumBytes: 1), Requests.readFetched)
        if found.error == 0 { return }
        usleep(10_000)
    }
    throw BenchmarkError("topic \(name) could not be created")
}

private func batch(_ records: Int32) -> [UInt8] {
    Requests.batch(records: records, timestamp: Int64(time(nil)) * 1_000)
}

/// Seconds for producing `count` batches.
private func produce(_ count: Int, to topic: String, _ port: UInt16) throws -> Double {
    let connection = try Connection(port: port)
    let request = Requests.produce(batch(recordsPerBatch), to: topic)
    let start = now()
    var answered = 0
    for sent in 0..<count {
        if sent - answered == requestsInFlight { try awaitProduced(connection, &answered) }
        try connection.send(request)
    }
    while answered < count { try awaitProduced(connection, &answered) }
    return seconds(since: start)
}

private func awaitProduced(_ connection: Connection, _ answered: inout Int) throws {
    let error = try connection.receive(Requests.readProduced)
    guard error == 0 else { throw BenchmarkError("a batch was refused with error \(error)") }
    answered += 1
}

/// Seconds for fetching as many batches, each as large as the others, one request after another.
private func fetch(_ count: Int, from topic: String, _ port: UInt16) throws -> Double {
    let connection = try Connection(port: port)
    let batchBytes = batch(recordsPerBatch).count
    let start = now()
    var fetched = 0
    while fetched < count {
        let request = Requests.fetch(
            topic, from: Int64(fetched) * Int64(recordsPerBatch), patience: 1_000, maximumBytes: fetchBytes)
        let (error, byteCount) = try connection.ask(request, Requests.readFetched)
        guard error == 0, byteCount >= batchBytes else { throw BenchmarkError("fetch answered error \(error)") }
        fetched += byteCount / batchBytes
    }
    return seconds(since: start)
}

/// Seconds from sending a lone record to having it fetched by a consumer that waits for it, `count` times.
private func lone(_ count: Int, in topic: String, from offset: Int64, _ port: UInt16) throws -> [Double] {
    let producer = try Connection(port: port)
    let consumer = try Connection(port: port)
    let request = Requests.produce(batch(1), to: topic)
    return try (0..<count).map { number in
        try consumer.send(
            Requests.fetch(topic, from: offset + Int64(number), patience: 10_000, maximumBytes: fetchBytes))
        // Lone: the broker has nothing else to do, and the consumer is already waiting.
        usleep(500)
        let start = now()
        try producer.send(request)
        let (error, byteCount) = try consumer.receive(Requests.readFetched)
        let latency = seconds(since: start)
        guard error == 0, byteCount > 0 else { throw BenchmarkError("fetch answered error \(error)") }
        guard try producer.receive(Requests.readProduced) == 0 else { throw BenchmarkError("a record was refused") }
        return latency
    }
}
