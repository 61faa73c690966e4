import Glibc
import Kafka

// Copies a topic in transactions of 100 ms, keys, values and timestamps as they are: what the Kafka room costs by itself.
//
//     kafka-copy BOOTSTRAP INPUT OUTPUT GROUP [headers] [(consumer|producer).PROPERTY=VALUE]...
//
// With `headers` it copies those too. It ends at SIGTERM; it is measured from outside.

runCopy(CommandLine.arguments)
