import EmbeddedBroker

/// The few requests that the measurements need.
enum Requests {
    static let recordValueBytes = 200

    /// A batch of records of 200 random bytes, without keys, as a producer sends them.
    static func batch(records count: Int32, timestamp: Int64) -> [UInt8] {
        var random = SystemRandomNumberGenerator()
        var checked = WireWriter(flexible: false)
        checked.int16(0)
        checked.int32(count - 1)
        checked.int64(timestamp)
        checked.int64(timestamp)
        checked.int64(-1)
        checked.int16(-1)
        checked.int32(-1)
        checked.int32(count)
        for index in 0..<count {
            var body = WireWriter(flexible: false)
            body.int8(0)
            body.zigzag(0)
            body.zigzag(index)
            body.zigzag(-1)
            body.zigzag(Int32(recordValueBytes))
            for _ in 0..<recordValueBytes { body.int8(.random(in: 32...126, using: &random)) }
            body.zigzag(0)
            let record = body.written
            checked.zigzag(Int32(record.count))
            for byte in record { checked.int8(Int8(bitPattern: byte)) }
        }
        let rest = checked.written
        var batch = WireWriter(flexible: false)
        batch.int64(0)
        batch.int32(Int32(9 + rest.count))
        batch.int32(-1)
        batch.int8(2)
        batch.int32(Int32(bitPattern: rest.withUnsafeBytes { CRC32C.checksum($0) }))
        return batch.written + rest
    }

    static func createTopic(_ name: String) -> [UInt8] {
        Connection.request(19, 4) { body in
            body.array([name]) { body, name in
                body.string(name)
                body.int32(1)
                body.int16(1)
                body.array([Int32]()) { $0.int32($1) }
                body.array([Int32]()) { $0.int32($1) }
            }
            body.int32(30_000)
            body.bool(false)
        }
    }

    static func produce(_ batch: [UInt8], to topic: String) -> [UInt8] {
        Connection.request(0, 7) { body in
            body.nullableString(nil)
            body.int16(-1)
            body.int32(30_000)
            body.array([topic]) { body, topic in
                body.string(topic)
                body.array([Int32(0)]) { body, partition in
                    body.int32(partition)
                    body.bytes(batch)
                }
            }
        }
    }

    /// The error of the only partition.
    static func readProduced(_ answer: inout WireReader) throws -> Int16 {
        try answer.array { answer throws(WireError) -> Int16 in
            _ = try answer.string()
            return try answer.array { answer throws(WireError) -> Int16 in
                _ = try answer.int32()
                let error = try answer.int16()
                for _ in 0..<3 { _ = try answer.int64() }
                return error
            }.first ?? -1
        }.first ?? -1
    }

    /// - Parameter patience: how long the broker may wait for a first byte, in milliseconds.
    static func fetch(_ topic: String, from offset: Int64, patience: Int32, maximumBytes: Int32) -> [UInt8] {
        Connection.request(1, 4) { body in
            body.int32(-1)
            body.int32(patience)
            body.int32(1)
            body.int32(maximumBytes)
            body.int8(1)
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

    /// The error of the only partition, and how many bytes of batches came.
    static func readFetched(_ answer: inout WireReader) throws -> (error: Int16, byteCount: Int) {
        _ = try answer.int32()
        return try answer.array { answer throws(WireError) -> (error: Int16, byteCount: Int) in
            _ = try answer.string()
            return try answer.array { answer throws(WireError) -> (error: Int16, byteCount: Int) in
                _ = try answer.int32()
                let error = try answer.int16()
                _ = try answer.int64()
                _ = try answer.int64()
                _ = try answer.nullableArray { answer throws(WireError) in
                    _ = try answer.int64()
                    _ = try answer.int64()
                }
                return (error, Int(try answer.int32()))
            }.first ?? (-1, 0)
        }.first ?? (-1, 0)
    }
}

extension WireWriter {
    fileprivate mutating func zigzag(_ value: Int32) {
        unsignedVarint(UInt32(bitPattern: value << 1 ^ value >> 31))
    }
}
