/// State entries as bytes in the journal: a type, then fields in the encoding of Kafka's classic messages.
extension StateEntry {
    private enum Kind: Int8 {
        case topicCreated = 1
        case partitionsAdded = 2
        case topicConfigured = 3
        case topicDeleted = 4
        case logStartAdvanced = 5
        case producerIDsReserved = 6
        case transactionChanged = 7
        case offsetsCommitted = 8
        case offsetsPrepared = 9
        case offsetsResolved = 10
        case offsetsDeleted = 11
        case groupDeleted = 12
        case groupChanged = 13
    }

    func encoded() -> OutputBuffer {
        var writer = WireWriter(flexible: false)
        func kind(_ kind: Kind) { writer.int8(kind.rawValue) }
        switch self {
        case .topicCreated(let name, let id, let partitionCount, let overrides):
            kind(.topicCreated)
            writer.string(name)
            writer.uuid(id)
            writer.int32(partitionCount)
            writer.settings(overrides)
        case .partitionsAdded(let name, let partitionCount):
            kind(.partitionsAdded)
            writer.string(name)
            writer.int32(partitionCount)
        case .topicConfigured(let name, let overrides):
            kind(.topicConfigured)
            writer.string(name)
            writer.settings(overrides)
        case .topicDeleted(let name):
            kind(.topicDeleted)
            writer.string(name)
        case .logStartAdvanced(let partition, let offset):
            kind(.logStartAdvanced)
            writer.topicPartition(partition)
            writer.int64(offset)
        case .producerIDsReserved(let limit):
            kind(.producerIDsReserved)
            writer.int64(limit)
        case .transactionChanged(let transaction):
            kind(.transactionChanged)
            writer.transaction(transaction)
        case .offsetsCommitted(let group, let offsets):
            kind(.offsetsCommitted)
            writer.string(group)
            writer.offsets(offsets)
        case .offsetsPrepared(let group, let producerID, let offsets):
            kind(.offsetsPrepared)
            writer.string(group)
            writer.int64(producerID)
            writer.offsets(offsets)
        case .offsetsResolved(let group, let producerID, let outcome):
            kind(.offsetsResolved)
            writer.string(group)
            writer.int64(producerID)
            writer.int16(outcome.rawValue)
        case .offsetsDeleted(let group, let partitions):
            kind(.offsetsDeleted)
            writer.string(group)
            writer.array(partitions) { $0.topicPartition($1) }
        case .groupChanged(let record):
            kind(.groupChanged)
            writer.group(record)
        case .groupDeleted(let group):
            kind(.groupDeleted)
            writer.string(group)
        }
        return writer.buffer
    }

    /// Nil if the bytes are no entry this version knows.
    init?(decoding bytes: UnsafeRawBufferPointer) {
        var reader = WireReader(bytes, flexible: false)
        do throws(WireError) {
            guard let kind = Kind(rawValue: try reader.int8()), let entry = try Self.read(kind, &reader) else {
                return nil
            }
            self = entry
        } catch {
            return nil
        }
    }

    private static func read(_ kind: Kind, _ reader: inout WireReader) throws(WireError) -> StateEntry? {
        switch kind {
        case .topicCreated:
            return .topicCreated(
                name: try reader.string(), id: try reader.uuid(), partitionCount: try reader.int32(),
                overrides: try reader.settings())
        case .partitionsAdded:
            return .partitionsAdded(name: try reader.string(), partitionCount: try reader.int32())
        case .topicConfigured: return .topicConfigured(name: try reader.string(), overrides: try reader.settings())
        case .topicDeleted: return .topicDeleted(name: try reader.string())
        case .logStartAdvanced: return .logStartAdvanced(try reader.topicPartition(), offset: try reader.int64())
        case .producerIDsReserved: return .producerIDsReserved(limit: try reader.int64())
        case .transactionChanged: return try reader.transaction().map { .transactionChanged($0) }
        case .offsetsCommitted: return .offsetsCommitted(group: try reader.string(), try reader.offsets())
        case .offsetsPrepared:
            return .offsetsPrepared(
                group: try reader.string(), producerID: try reader.int64(), try reader.offsets())
        case .offsetsResolved:
            let group = try reader.string()
            let producerID = try reader.int64()
            guard let outcome = TransactionOutcome(rawValue: try reader.int16()) else { return nil }
            return .offsetsResolved(group: group, producerID: producerID, outcome)
        case .offsetsDeleted:
            return .offsetsDeleted(
                group: try reader.string(),
                try reader.array { reader throws(WireError) in try reader.topicPartition() })
        case .groupChanged: return .groupChanged(try reader.group())
        case .groupDeleted: return .groupDeleted(group: try reader.string())
        }
    }
}

extension WireWriter {
    fileprivate mutating func topicPartition(_ partition: TopicPartition) {
        string(partition.topic)
        int32(partition.partition)
    }

    fileprivate mutating func group(_ record: GroupRecord) {
        string(record.id)
        int32(record.generation)
        nullableString(record.protocolType)
        nullableString(record.protocolName)
        nullableString(record.leaderID)
        array(record.members) { writer, member in
            writer.string(member.id)
            writer.nullableString(member.instanceID)
            writer.string(member.clientID)
            writer.string(member.clientHost)
            writer.int64(member.sessionTimeoutMilliseconds)
            writer.int64(member.rebalanceTimeoutMilliseconds)
            writer.array(member.protocols) { writer, offered in
                writer.string(offered.name)
                writer.bytes(offered.metadata)
            }
            writer.bytes(member.assignment)
        }
    }

    fileprivate mutating func settings(_ settings: [String: String]) {
        array(settings.sorted { $0.key < $1.key }) { writer, setting in
            writer.string(setting.key)
            writer.string(setting.value)
        }
    }

    fileprivate mutating func offsets(_ offsets: [(TopicPartition, CommittedOffset)]) {
        array(offsets) { writer, entry in
            writer.topicPartition(entry.0)
            writer.int64(entry.1.offset)
            writer.int32(entry.1.leaderEpoch)
            writer.string(entry.1.metadata)
            writer.int64(entry.1.commitNumber)
        }
    }

    fileprivate mutating func transaction(_ transaction: TransactionState) {
        string(transaction.transactionalID)
        int64(transaction.producer.id)
        int16(transaction.producer.epoch)
        int64(transaction.formerProducer.id)
        int16(transaction.formerProducer.epoch)
        int32(transaction.timeoutMilliseconds)
        int8(Int8(bitPattern: transaction.phase.rawValue))
        array(transaction.partitions.sorted()) { $0.topicPartition($1) }
        array(transaction.groups.sorted()) { $0.string($1) }
        int64(transaction.startMilliseconds)
    }
}

extension WireReader {
    fileprivate mutating func topicPartition() throws(WireError) -> TopicPartition {
        TopicPartition(topic: try string(), partition: try int32())
    }

    fileprivate mutating func group() throws(WireError) -> GroupRecord {
        GroupRecord(
            id: try string(), generation: try int32(), protocolType: try nullableString(),
            protocolName: try nullableString(), leaderID: try nullableString(),
            members: try array { reader throws(WireError) in
                GroupRecord.Member(
                    id: try reader.string(), instanceID: try reader.nullableString(), clientID: try reader.string(),
                    clientHost: try reader.string(), sessionTimeoutMilliseconds: try reader.int64(),
                    rebalanceTimeoutMilliseconds: try reader.int64(),
                    protocols: try reader.array { reader throws(WireError) in
                        GroupProtocol(name: try reader.string(), metadata: try reader.bytes())
                    },
                    assignment: try reader.bytes())
            })
    }

    fileprivate mutating func settings() throws(WireError) -> [String: String] {
        let pairs = try array { reader throws(WireError) in (try reader.string(), try reader.string()) }
        return Dictionary(pairs) { _, last in last }
    }

    fileprivate mutating func offsets() throws(WireError) -> [(TopicPartition, CommittedOffset)] {
        try array { reader throws(WireError) in
            (
                try reader.topicPartition(),
                CommittedOffset(
                    offset: try reader.int64(), leaderEpoch: try reader.int32(), metadata: try reader.string(),
                    commitNumber: try reader.int64())
            )
        }
    }

    fileprivate mutating func transaction() throws(WireError) -> TransactionState? {
        let transactionalID = try string()
        let producer = ProducerIdentity(id: try int64(), epoch: try int16())
        let formerProducer = ProducerIdentity(id: try int64(), epoch: try int16())
        let timeoutMilliseconds = try int32()
        guard let phase = TransactionState.Phase(rawValue: UInt8(bitPattern: try int8())) else { return nil }
        return TransactionState(
            transactionalID: transactionalID, producer: producer, formerProducer: formerProducer,
            timeoutMilliseconds: timeoutMilliseconds, phase: phase,
            partitions: Set(try array { reader throws(WireError) in try reader.topicPartition() }),
            groups: Set(try strings()), startMilliseconds: try int64())
    }
}
