import EmbeddedBroker
import XCTest

/// The requests the tests send, each in one version that is not flexible.
extension BrokerDriver {
    func createTopic(_ name: String, partitions: Int32 = 1, settings: [String: String] = [:]) throws -> Int16 {
        try ask(19, 4) { body in
            body.array([name]) { body, name in
                body.string(name)
                body.int32(partitions)
                body.int16(1)
                body.array([Int32]()) { $0.int32($1) }
                body.array(settings.sorted { $0.key < $1.key }) { body, setting in
                    body.string(setting.key)
                    body.nullableString(setting.value)
                }
            }
            body.int32(1_000)
            body.bool(false)
        } reading: { answer in
            _ = try answer.int32()
            return try answer.array { answer throws(WireError) in
                _ = try answer.string()
                let error = try answer.int16()
                _ = try answer.nullableString()
                return error
            }[0]
        }
    }

    func deleteTopic(_ name: String) throws -> Int16 {
        try ask(20, 3) { body in
            body.array([name]) { $0.string($1) }
            body.int32(1_000)
        } reading: { answer in
            _ = try answer.int32()
            return try answer.array { answer throws(WireError) in
                _ = try answer.string()
                return try answer.int16()
            }[0]
        }
    }

    func deleteRecords(of topic: String, before offset: Int64) throws -> Int16 {
        try ask(21, 1) { body in
            body.array([topic]) { body, topic in
                body.string(topic)
                body.array([Int32(0)]) { body, partition in
                    body.int32(partition)
                    body.int64(offset)
                }
            }
            body.int32(1_000)
        } reading: { answer in
            _ = try answer.int32()
            return try answer.array { answer throws(WireError) in
                _ = try answer.string()
                return try answer.array { answer throws(WireError) in
                    _ = try answer.int32()
                    _ = try answer.int64()
                    return try answer.int16()
                }[0]
            }[0]
        }
    }

    struct Produced: Equatable {
        var error: Int16
        var baseOffset: Int64
    }

    /// A transactional batch goes out in the name of `tx` unless another transactional id is given.
    func produce(
        _ batch: [UInt8], to topic: String, partition: Int32 = 0, acks: Int16 = -1, as transactionalID: String = "tx"
    ) throws -> Produced {
        let isTransactional = batch.count > 22 && batch[22] & 0x10 != 0
        return try ask(0, 7, on: ConnectionID(2)) { body in
            body.nullableString(isTransactional ? transactionalID : nil)
            body.int16(acks)
            body.int32(1_000)
            body.array([topic]) { body, topic in
                body.string(topic)
                body.array([partition]) { body, partition in
                    body.int32(partition)
                    body.bytes(batch)
                }
            }
        } reading: { answer in
            try answer.array { answer throws(WireError) in
                _ = try answer.string()
                return try answer.array { answer throws(WireError) in
                    _ = try answer.int32()
                    let produced = Produced(error: try answer.int16(), baseOffset: try answer.int64())
                    _ = try answer.int64()
                    _ = try answer.int64()
                    return produced
                }[0]
            }[0]
        }
    }

    struct Fetched {
        var error: Int16
        var highWatermark: Int64
        var lastStableOffset: Int64
        var aborted: [ProducerRange]?
        var records: [UInt8]

        /// The base offsets of the batches.
        var baseOffsets: [Int64] {
            var offsets: [Int64] = []
            var rest = records[...]
            while rest.count >= 12 {
                let bytes = Array(rest)
                offsets.append(bytes[..<8].reduce(0) { $0 << 8 | Int64($1) })
                rest = rest.dropFirst(12 + bytes[8..<12].reduce(0) { $0 << 8 | Int($1) })
            }
            return offsets
        }
    }

    struct ProducerRange: Equatable {
        var producerID: Int64
        var firstOffset: Int64
    }

    func sendFetch(
        _ topic: String, from offset: Int64, committed: Bool, waitMilliseconds: Int32, maximumBytes: Int32 = 1 << 20,
        minimumBytes: Int32 = 1, on connection: ConnectionID = ConnectionID(3)
    ) {
        send(1, 4, on: connection) { body in
            body.int32(-1)
            body.int32(waitMilliseconds)
            body.int32(minimumBytes)
            body.int32(1 << 20)
            body.int8(committed ? 1 : 0)
            body.array([topic]) { body, topic in
                body.string(topic)
                body.array([Int32(0)]) { body, partition in
                    body.int32(partition)
                    body.int64(offset)
                    body.int32(maximumBytes)
                }
            }
        }
    }

    func takeFetched(on connection: ConnectionID = ConnectionID(3)) throws -> Fetched? {
        guard let answer = takeAnswer(connection) else { return nil }
        return try Self.read(answer) { answer in
            _ = try answer.int32()
            return try answer.array { answer throws(WireError) in
                _ = try answer.string()
                return try answer.array { answer throws(WireError) in
                    _ = try answer.int32()
                    let error = try answer.int16()
                    let highWatermark = try answer.int64()
                    let lastStableOffset = try answer.int64()
                    let aborted = try answer.nullableArray { answer throws(WireError) in
                        ProducerRange(producerID: try answer.int64(), firstOffset: try answer.int64())
                    }
                    return Fetched(
                        error: error, highWatermark: highWatermark, lastStableOffset: lastStableOffset,
                        aborted: aborted,
                        records: try answer.bytes())
                }[0]
            }[0]
        }
    }

    func fetch(
        _ topic: String, from offset: Int64 = 0, committed: Bool = true, maximumBytes: Int32 = 1 << 20
    ) throws -> Fetched {
        sendFetch(topic, from: offset, committed: committed, waitMilliseconds: 0, maximumBytes: maximumBytes)
        guard let fetched = try takeFetched() else { throw NoAnswer(key: 1) }
        return fetched
    }

    struct ListedOffset: Equatable {
        var error: Int16
        var timestamp: Int64
        var offset: Int64
    }

    func listOffset(_ topic: String, timestamp: Int64, committed: Bool = true) throws -> ListedOffset {
        try ask(2, 2) { body in
            body.int32(-1)
            body.int8(committed ? 1 : 0)
            body.array([topic]) { body, topic in
                body.string(topic)
                body.array([Int32(0)]) { body, partition in
                    body.int32(partition)
                    body.int64(timestamp)
                }
            }
        } reading: { answer in
            _ = try answer.int32()
            return try answer.array { answer throws(WireError) in
                _ = try answer.string()
                return try answer.array { answer throws(WireError) in
                    _ = try answer.int32()
                    return ListedOffset(
                        error: try answer.int16(), timestamp: try answer.int64(), offset: try answer.int64())
                }[0]
            }[0]
        }
    }

    struct Initialized: Equatable {
        var error: Int16
        var producer: ProducerIdentity
    }

    func initProducer(_ transactionalID: String?, timeoutMilliseconds: Int32 = 60_000) throws -> Initialized {
        try ask(22, 1) { body in
            body.nullableString(transactionalID)
            body.int32(timeoutMilliseconds)
        } reading: { answer in
            _ = try answer.int32()
            return Initialized(
                error: try answer.int16(), producer: ProducerIdentity(id: try answer.int64(), epoch: try answer.int16())
            )
        }
    }

    func addPartition(_ topic: String, to transactionalID: String, _ producer: ProducerIdentity) throws -> Int16 {
        try ask(24, 2) { body in
            body.string(transactionalID)
            body.int64(producer.id)
            body.int16(producer.epoch)
            body.array([topic]) { body, topic in
                body.string(topic)
                body.array([Int32(0)]) { $0.int32($1) }
            }
        } reading: { answer in
            _ = try answer.int32()
            return try answer.array { answer throws(WireError) in
                _ = try answer.string()
                return try answer.array { answer throws(WireError) in
                    _ = try answer.int32()
                    return try answer.int16()
                }[0]
            }[0]
        }
    }

    func addOffsets(of group: String, to transactionalID: String, _ producer: ProducerIdentity) throws -> Int16 {
        try ask(25, 2) { body in
            body.string(transactionalID)
            body.int64(producer.id)
            body.int16(producer.epoch)
            body.string(group)
        } reading: { answer in
            _ = try answer.int32()
            return try answer.int16()
        }
    }

    func end(_ transactionalID: String, _ producer: ProducerIdentity, commit: Bool) throws -> Int16 {
        try ask(26, 2) { body in
            body.string(transactionalID)
            body.int64(producer.id)
            body.int16(producer.epoch)
            body.bool(commit)
        } reading: { answer in
            _ = try answer.int32()
            return try answer.int16()
        }
    }

    func commitOffsetInTransaction(
        _ offset: Int64, topic: String, group: String, transactionalID: String, _ producer: ProducerIdentity
    ) throws -> Int16 {
        try ask(28, 2) { body in
            body.string(transactionalID)
            body.string(group)
            body.int64(producer.id)
            body.int16(producer.epoch)
            body.array([topic]) { body, topic in
                body.string(topic)
                body.array([Int32(0)]) { body, partition in
                    body.int32(partition)
                    body.int64(offset)
                    body.int32(-1)
                    body.nullableString(nil)
                }
            }
        } reading: {
            try $0.firstPartitionError(afterThrottle: true)
        }
    }

    func commitOffset(
        _ offset: Int64, topic: String, group: String, generation: Int32 = -1, memberID: String = "",
        instanceID: String? = nil
    ) throws -> Int16 {
        try ask(8, 7) { body in
            body.string(group)
            body.int32(generation)
            body.string(memberID)
            body.nullableString(instanceID)
            body.array([topic]) { body, topic in
                body.string(topic)
                body.array([Int32(0)]) { body, partition in
                    body.int32(partition)
                    body.int64(offset)
                    body.int32(-1)
                    body.nullableString("m")
                }
            }
        } reading: {
            try $0.firstPartitionError(afterThrottle: true)
        }
    }

    struct FetchedOffset: Equatable {
        var offset: Int64
        var error: Int16
    }

    /// OffsetFetch 5, or 7 (flexible) with require stable.
    func fetchOffset(topic: String, group: String, requireStable: Bool = false) throws -> FetchedOffset {
        guard requireStable else {
            return try ask(9, 5) { body in
                body.string(group)
                body.array([topic]) { body, topic in
                    body.string(topic)
                    body.array([Int32(0)]) { $0.int32($1) }
                }
            } reading: { answer in
                _ = try answer.int32()
                return try answer.array { answer throws(WireError) in try answer.topicOfFetchedOffsets() }[0]
            }
        }
        var flexible = WireWriter(flexible: true)
        flexible.unsignedVarint(0)
        flexible.string(group)
        flexible.structures([topic]) { body, topic in
            body.string(topic)
            body.array([Int32(0)]) { $0.int32($1) }
        }
        flexible.bool(true)
        flexible.noTaggedFields()
        send(9, 7, on: ConnectionID(1)) { body in
            for byte in flexible.written { body.int8(Int8(bitPattern: byte)) }
        }
        guard let answer = takeAnswer(ConnectionID(1)) else { throw NoAnswer(key: 9) }
        return try answer.withUnsafeBytes { bytes in
            var reader = WireReader(bytes, flexible: true)
            _ = try reader.int32()
            try reader.skipTaggedFields()
            _ = try reader.int32()
            return try reader.structures { answer throws(WireError) in
                _ = try answer.string()
                return try answer.structures { answer throws(WireError) in
                    _ = try answer.int32()
                    let offset = try answer.int64()
                    _ = try answer.int32()
                    _ = try answer.nullableString()
                    return FetchedOffset(offset: offset, error: try answer.int16())
                }[0]
            }[0]
        }
    }
}

extension WireReader {
    fileprivate mutating func topicOfFetchedOffsets() throws(WireError) -> BrokerDriver.FetchedOffset {
        _ = try string()
        return try array { answer throws(WireError) in
            _ = try answer.int32()
            let offset = try answer.int64()
            _ = try answer.int32()
            _ = try answer.nullableString()
            return BrokerDriver.FetchedOffset(offset: offset, error: try answer.int16())
        }[0]
    }
}

extension WireReader {
    mutating func firstPartitionError(afterThrottle: Bool) throws(WireError) -> Int16 {
        if afterThrottle { _ = try int32() }
        return try array { answer throws(WireError) in
            _ = try answer.string()
            return try answer.array { answer throws(WireError) in
                _ = try answer.int32()
                return try answer.int16()
            }[0]
        }[0]
    }
}
