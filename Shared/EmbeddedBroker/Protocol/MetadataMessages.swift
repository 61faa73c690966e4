struct MetadataRequest: RequestMessage {
    /// Nil asks for all topics; a topic without a name is asked for by its id (version 12).
    let topics: [(id: UUID128, name: String?)]?
    let allowsAutomaticCreation: Bool

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        let requested = try reader.nullableStructures { reader throws(WireError) -> (id: UUID128, name: String?) in
            let id = version >= 10 ? try reader.uuid() : .zero
            return (id, version >= 10 ? try reader.nullableString() : try reader.string())
        }
        topics = version == 0 && requested?.isEmpty == true ? nil : requested
        allowsAutomaticCreation = version >= 4 ? try reader.bool() : true
        if (8...10).contains(version) { _ = try reader.bool() }
        if version >= 8 { _ = try reader.bool() }
    }
}

struct MetadataResponse: ResponseMessage {
    struct Topic {
        var error = ErrorCode.none
        var name: String?
        var id = UUID128.zero
        var partitionCount = 0
    }

    var broker: BrokerAddress
    var clusterID: String
    var topics: [Topic]

    func write(to writer: inout WireWriter, version: Int16) {
        if version >= 3 { writer.throttle() }
        writer.structures([broker]) { writer, broker in
            writer.int32(broker.id)
            writer.string(broker.host)
            writer.int32(broker.port)
            if version >= 1 { writer.nullableString(nil) }
        }
        if version >= 2 { writer.nullableString(clusterID) }
        if version >= 1 { writer.int32(broker.id) }
        writer.structures(topics) { writer, topic in
            writer.error(topic.error)
            if version >= 12 { writer.nullableString(topic.name) } else { writer.string(topic.name ?? "") }
            if version >= 10 { writer.uuid(topic.id) }
            if version >= 1 { writer.bool(false) }
            writer.structures(Array(0..<topic.partitionCount)) { writer, partition in
                writer.error(.none)
                writer.int32(Int32(partition))
                writer.int32(broker.id)
                if version >= 7 { writer.int32(0) }
                writer.array([broker.id]) { $0.int32($1) }
                writer.array([broker.id]) { $0.int32($1) }
                if version >= 5 { writer.array([Int32]()) { $0.int32($1) } }
            }
            if version >= 8 { writer.authorizedOperations() }
        }
        if (8...10).contains(version) { writer.authorizedOperations() }
    }
}

struct DescribeClusterRequest: RequestMessage {
    /// 1 asks for brokers, 2 for controllers (KIP-919), which this broker does not show apart.
    let endpointType: Int8

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        _ = try reader.bool()
        endpointType = version >= 1 ? try reader.int8() : 1
    }
}

struct DescribeClusterResponse: ResponseMessage {
    var broker: BrokerAddress
    var clusterID: String
    var endpointType: Int8

    func write(to writer: inout WireWriter, version: Int16) {
        writer.throttle()
        writer.error(.none)
        writer.nullableString(nil)
        if version >= 1 { writer.int8(endpointType) }
        writer.string(clusterID)
        writer.int32(broker.id)
        writer.structures([broker]) { writer, broker in
            writer.int32(broker.id)
            writer.string(broker.host)
            writer.int32(broker.port)
            writer.nullableString(nil)
        }
        writer.authorizedOperations()
    }
}
