import Glibc
import Kafka

// Copies a topic in transactions, keys, values and timestamps as they are: what the Kafka room costs by itself.
//
//     kafka-copy BOOTSTRAP INPUT OUTPUT GROUP [SECONDS] [PROPERTY=VALUE]...
//
// Properties beginning with "consumer." or "producer." go to that client. Prints one line of figures at SIGTERM or after
// SECONDS without a record.

runCopy(CommandLine.arguments)
