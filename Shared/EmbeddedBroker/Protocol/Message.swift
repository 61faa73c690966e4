/// The body of a request, read from the wire in the version its header names.
protocol RequestMessage {
    init(from reader: inout WireReader, version: Int16) throws(WireError)
}

/// The body of an answer, written in the version of its request.
protocol ResponseMessage {
    func write(to writer: inout WireWriter, version: Int16)
}

/// A topic and what a message says of some of its partitions.
struct ByTopic<Element> {
    var name: String
    /// In versions that name topics by their id alone, which leave `name` empty.
    var id = UUID128.zero
    var partitions: [Element]

    func map<Other>(_ transform: (Element) -> Other) -> ByTopic<Other> {
        ByTopic<Other>(name: name, id: id, partitions: partitions.map(transform))
    }
}

extension Sequence {
    /// The first of those with equal keys: what a request names many times is answered once, however large it is.
    func distinct<Key: Hashable>(by key: KeyPath<Element, Key>) -> [Element] {
        var seen: Set<Key> = []
        return filter { seen.insert($0[keyPath: key]).inserted }
    }
}

struct PartitionError {
    var partition: Int32
    var error: ErrorCode
}

extension WireReader {
    /// Topics by name, or by id, each with an array of structures.
    mutating func topics<Element>(
        byID: Bool = false, _ read: (inout WireReader) throws(WireError) -> Element
    ) throws(WireError) -> [ByTopic<Element>] {
        try structures { reader throws(WireError) in
            ByTopic(
                name: byID ? "" : try reader.string(), id: byID ? try reader.uuid() : .zero,
                partitions: try reader.structures(read))
        }
    }

    /// Topics by name, each with bare partition numbers.
    mutating func topicPartitions() throws(WireError) -> [ByTopic<Int32>] {
        try structures { reader throws(WireError) in try reader.topicWithPartitions() }
    }

    mutating func topicWithPartitions() throws(WireError) -> ByTopic<Int32> {
        ByTopic(name: try string(), partitions: try array { reader throws(WireError) in try reader.int32() })
    }

    mutating func strings() throws(WireError) -> [String] {
        try array { reader throws(WireError) in try reader.string() }
    }
}

extension WireWriter {
    mutating func topics<Element>(
        _ topics: [ByTopic<Element>], byID: Bool = false, _ write: (inout WireWriter, Element) -> Void
    ) {
        structures(topics) { writer, topic in
            if byID { writer.uuid(topic.id) } else { writer.string(topic.name) }
            writer.structures(topic.partitions, write)
        }
    }

    mutating func topicErrors(_ topics: [ByTopic<PartitionError>]) {
        self.topics(topics) { writer, partition in
            writer.int32(partition.partition)
            writer.error(partition.error)
        }
    }

    /// No client is ever throttled here.
    mutating func throttle() { int32(0) }

    /// "Not asked for", which is all a broker without authorization has to say.
    mutating func authorizedOperations() { int32(.min) }
}
