/// A producer id and the epoch that tells its incarnations apart.
package struct ProducerIdentity: Hashable, Sendable {
    package var id: Int64
    package var epoch: Int16

    package init(id: Int64, epoch: Int16) {
        self.id = id
        self.epoch = epoch
    }

    static let none = ProducerIdentity(id: -1, epoch: -1)
}

extension WireReader {
    fileprivate mutating func producerIdentity() throws(WireError) -> ProducerIdentity {
        ProducerIdentity(id: try int64(), epoch: try int16())
    }
}

struct InitProducerIDRequest: RequestMessage {
    let transactionalID: String?
    let timeoutMilliseconds: Int32
    /// What the caller believes to be; none for a fresh start.
    let current: ProducerIdentity

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        transactionalID = try reader.nullableString()
        timeoutMilliseconds = try reader.int32()
        current = version >= 3 ? try reader.producerIdentity() : .none
    }
}

struct InitProducerIDResponse: ResponseMessage {
    var error = ErrorCode.none
    var producer = ProducerIdentity.none

    func write(to writer: inout WireWriter, version: Int16) {
        writer.throttle()
        writer.error(error)
        writer.int64(producer.id)
        writer.int16(producer.epoch)
    }
}

struct AddPartitionsToTransactionRequest: RequestMessage {
    let transactionalID: String
    let producer: ProducerIdentity
    let topics: [ByTopic<Int32>]

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        transactionalID = try reader.string()
        producer = try reader.producerIdentity()
        topics = try reader.topicPartitions()
    }
}

struct AddPartitionsToTransactionResponse: ResponseMessage {
    var topics: [ByTopic<PartitionError>]

    func write(to writer: inout WireWriter, version: Int16) {
        writer.throttle()
        writer.topicErrors(topics)
    }
}

struct AddOffsetsToTransactionRequest: RequestMessage {
    let transactionalID: String
    let producer: ProducerIdentity
    let groupID: String

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        transactionalID = try reader.string()
        producer = try reader.producerIdentity()
        groupID = try reader.string()
    }
}

struct EndTransactionRequest: RequestMessage {
    let transactionalID: String
    let producer: ProducerIdentity
    let outcome: TransactionOutcome

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        transactionalID = try reader.string()
        producer = try reader.producerIdentity()
        outcome = try reader.bool() ? .commit : .abort
    }
}

struct WriteTransactionMarkersRequest: RequestMessage {
    struct Marker {
        let producer: ProducerIdentity
        let outcome: TransactionOutcome
        let topics: [ByTopic<Int32>]
        let coordinatorEpoch: Int32
    }

    let markers: [Marker]

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        markers = try reader.structures { reader throws(WireError) in
            Marker(
                producer: try reader.producerIdentity(), outcome: try reader.bool() ? .commit : .abort,
                topics: try reader.topicPartitions(), coordinatorEpoch: try reader.int32())
        }
    }
}

struct WriteTransactionMarkersResponse: ResponseMessage {
    var markers: [(producerID: Int64, topics: [ByTopic<PartitionError>])]

    func write(to writer: inout WireWriter, version: Int16) {
        writer.structures(markers) { writer, marker in
            writer.int64(marker.producerID)
            writer.topicErrors(marker.topics)
        }
    }
}

struct DescribeProducersRequest: RequestMessage {
    let topics: [ByTopic<Int32>]

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        topics = try reader.topicPartitions()
    }
}

struct DescribeProducersResponse: ResponseMessage {
    struct Producer {
        var identity: ProducerIdentity
        var lastSequence: Int32
        var lastTimestamp: Int64
        var coordinatorEpoch: Int32
        var transactionStartOffset: Int64
    }

    struct Partition {
        var index: Int32
        var error = ErrorCode.none
        var producers: [Producer] = []
    }

    var topics: [ByTopic<Partition>]

    func write(to writer: inout WireWriter, version: Int16) {
        writer.throttle()
        writer.topics(topics) { writer, partition in
            writer.int32(partition.index)
            writer.error(partition.error)
            writer.nullableString(nil)
            writer.structures(partition.producers) { writer, producer in
                writer.int64(producer.identity.id)
                writer.int32(Int32(producer.identity.epoch))
                writer.int32(producer.lastSequence)
                writer.int64(producer.lastTimestamp)
                writer.int32(producer.coordinatorEpoch)
                writer.int64(producer.transactionStartOffset)
            }
        }
    }
}

struct DescribeTransactionsRequest: RequestMessage {
    let transactionalIDs: [String]

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        transactionalIDs = try reader.strings()
    }
}

struct DescribeTransactionsResponse: ResponseMessage {
    struct Description {
        var error = ErrorCode.none
        var transactionalID: String
        var state = ""
        var timeoutMilliseconds: Int32 = 0
        var startTimeMilliseconds: Int64 = 0
        var producer = ProducerIdentity(id: 0, epoch: 0)
        var topics: [ByTopic<Int32>] = []
    }

    var transactions: [Description]

    func write(to writer: inout WireWriter, version: Int16) {
        writer.throttle()
        writer.structures(transactions) { writer, transaction in
            writer.error(transaction.error)
            writer.string(transaction.transactionalID)
            writer.string(transaction.state)
            writer.int32(transaction.timeoutMilliseconds)
            writer.int64(transaction.startTimeMilliseconds)
            writer.int64(transaction.producer.id)
            writer.int16(transaction.producer.epoch)
            writer.structures(transaction.topics) { writer, topic in
                writer.string(topic.name)
                writer.array(topic.partitions) { $0.int32($1) }
            }
        }
    }
}

struct ListTransactionsRequest: RequestMessage {
    let states: [String]
    let producerIDs: [Int64]
    /// Only transactions open for longer; negative asks for all.
    let minimumDurationMilliseconds: Int64

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        states = try reader.strings()
        producerIDs = try reader.array { reader throws(WireError) in try reader.int64() }
        minimumDurationMilliseconds = version >= 1 ? try reader.int64() : -1
    }
}

struct ListTransactionsResponse: ResponseMessage {
    var unknownStates: [String]
    var transactions: [(transactionalID: String, producerID: Int64, state: String)]

    func write(to writer: inout WireWriter, version: Int16) {
        writer.throttle()
        writer.error(.none)
        writer.array(unknownStates) { $0.string($1) }
        writer.structures(transactions) { writer, transaction in
            writer.string(transaction.transactionalID)
            writer.int64(transaction.producerID)
            writer.string(transaction.state)
        }
    }
}
