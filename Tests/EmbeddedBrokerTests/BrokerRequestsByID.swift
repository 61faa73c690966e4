import EmbeddedBroker
import XCTest

/// Requests that name topics by their id, in versions that are all flexible.
extension BrokerDriver {
    private func sendFlexible(
        _ key: Int16, _ version: Int16, on connection: ConnectionID, _ body: (inout WireWriter) -> Void
    ) {
        var flexible = WireWriter(flexible: true)
        flexible.noTaggedFields()
        body(&flexible)
        flexible.noTaggedFields()
        send(key, version, on: connection) { writer in
            for byte in flexible.written { writer.int8(Int8(bitPattern: byte)) }
        }
    }

    private static func readFlexible<Answer>(
        _ answer: [UInt8], _ read: (inout WireReader) throws -> Answer
    ) throws -> Answer {
        try answer.withUnsafeBytes { bytes in
            var reader = WireReader(bytes, flexible: true)
            _ = try reader.int32()
            try reader.skipTaggedFields()
            return try read(&reader)
        }
    }

    func topicID(_ name: String) throws -> UUID128 {
        sendFlexible(3, 12, on: ConnectionID(1)) { body in
            body.structures([name]) { body, name in
                body.uuid(.zero)
                body.string(name)
            }
            body.bool(false)
            body.bool(false)
        }
        return try Self.readFlexible(try XCTUnwrap(takeAnswer(ConnectionID(1)))) { answer in
            _ = try answer.int32()
            _ = try answer.structures { answer throws(WireError) in
                _ = try answer.int32()
                _ = try answer.string()
                _ = try answer.int32()
                _ = try answer.nullableString()
            }
            _ = try answer.nullableString()
            _ = try answer.int32()
            // The first topic is the only one; what follows its id is not read.
            _ = try answer.unsignedVarint()
            _ = try answer.int16()
            _ = try answer.nullableString()
            return try answer.uuid()
        }
    }

    func sendFetch(
        _ topic: UUID128, version: Int16, from offset: Int64, waitMilliseconds: Int32,
        on connection: ConnectionID = ConnectionID(3)
    ) {
        sendFlexible(1, version, on: connection) { body in
            if version < 15 { body.int32(-1) }
            body.int32(waitMilliseconds)
            body.int32(1)
            body.int32(1 << 20)
            body.int8(1)
            body.int32(0)
            body.int32(-1)
            body.structures([topic]) { body, topic in
                body.uuid(topic)
                body.structures([Int32(0)]) { body, partition in
                    body.int32(partition)
                    body.int32(-1)
                    body.int64(offset)
                    body.int32(-1)
                    body.int64(-1)
                    body.int32(1 << 20)
                }
            }
            body.structures([topic]) { body, forgotten in
                body.uuid(forgotten)
                body.array([Int32(0)]) { $0.int32($1) }
            }
            body.string("rack")
        }
    }

    func takeFetchedByID(_ topic: UUID128, on connection: ConnectionID = ConnectionID(3)) throws -> Fetched? {
        guard let answer = takeAnswer(connection) else { return nil }
        return try Self.readFlexible(answer) { answer in
            _ = try answer.int32()
            XCTAssertEqual(try answer.int16(), 0)
            XCTAssertEqual(try answer.int32(), 0, "no session")
            return try answer.structures { answer throws(WireError) in
                let named = try answer.uuid()
                XCTAssertEqual(named, topic)
                return try answer.structures { answer throws(WireError) in
                    _ = try answer.int32()
                    let error = try answer.int16()
                    let highWatermark = try answer.int64()
                    let lastStableOffset = try answer.int64()
                    _ = try answer.int64()
                    _ = try answer.nullableArray { answer throws(WireError) in
                        _ = try answer.int64()
                        _ = try answer.int64()
                        try answer.skipTaggedFields()
                    }
                    _ = try answer.int32()
                    return Fetched(
                        error: error, highWatermark: highWatermark, lastStableOffset: lastStableOffset, aborted: nil,
                        records: try answer.bytes())
                }[0]
            }[0]
        }
    }
}
