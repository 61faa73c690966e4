import Glibc

// Measures a broker that speaks Kafka's protocol with next to no work of its own: batches are encoded once and sent again and
// again, and what is fetched is only counted. It prints one line of JSON.
//
//     broker-benchmark 127.0.0.1:PORT [RECORDS]

do {
    try measure(CommandLine.arguments)
} catch {
    let line = Array("broker-benchmark: \(error)\n".utf8)
    _ = write(STDERR_FILENO, line, line.count)
    exit(1)
}
