/// One effective setting, and where its value comes from.
struct ConfigurationEntry {
    enum Source: Int8 {
        case topic = 1
        case broker = 4
        case fallback = 5
    }

    enum Kind: Int8 {
        case boolean = 1
        case string = 2
        case int = 3
        case long = 5
        case double = 6
        case list = 7
    }

    var name: String
    var value: String?
    var source: Source
    var kind: Kind
}

struct ConfigurationResource: Hashable {
    static let topicType: Int8 = 2
    static let brokerType: Int8 = 4

    let type: Int8
    let name: String
}

struct DescribeConfigsRequest: RequestMessage {
    let resources: [(resource: ConfigurationResource, keys: [String]?)]

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        resources = try reader.structures { reader throws(WireError) in
            (
                ConfigurationResource(type: try reader.int8(), name: try reader.string()),
                try reader.nullableArray { reader throws(WireError) in try reader.string() }
            )
        }
        _ = try reader.bool()
        if version >= 3 { _ = try reader.bool() }
    }
}

struct DescribeConfigsResponse: ResponseMessage {
    struct Result {
        var resource: ConfigurationResource
        var error = ErrorCode.none
        var message: String?
        var entries: [ConfigurationEntry] = []
    }

    var results: [Result]

    func write(to writer: inout WireWriter, version: Int16) {
        writer.throttle()
        writer.structures(results) { writer, result in
            writer.error(result.error)
            writer.nullableString(result.message)
            writer.int8(result.resource.type)
            writer.string(result.resource.name)
            writer.structures(result.entries) { writer, entry in
                writer.string(entry.name)
                writer.nullableString(entry.value)
                writer.bool(entry.source == .broker)
                writer.int8(entry.source.rawValue)
                writer.bool(false)
                writer.structures([Int8]()) { _, _ in }
                if version >= 3 {
                    writer.int8(entry.kind.rawValue)
                    writer.nullableString(nil)
                }
            }
        }
    }
}

/// AlterConfigs replaces all of a resource's settings; IncrementalAlterConfigs changes those it names.
struct AlterConfigsRequest: RequestMessage {
    struct Resource {
        let resource: ConfigurationResource
        let settings: [(name: String, value: String?)]
    }

    let resources: [Resource]
    let validatesOnly: Bool

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        resources = try reader.structures { reader throws(WireError) in
            Resource(
                resource: ConfigurationResource(type: try reader.int8(), name: try reader.string()),
                settings: try reader.structures { reader throws(WireError) in
                    (try reader.string(), try reader.nullableString())
                })
        }
        validatesOnly = try reader.bool()
    }
}

struct IncrementalAlterConfigsRequest: RequestMessage {
    enum Operation: Int8 {
        case set = 0
        case delete = 1
        case append = 2
        case subtract = 3
    }

    struct Resource {
        let resource: ConfigurationResource
        /// An operation is nil if its number is unknown.
        let changes: [(name: String, operation: Operation?, value: String?)]
    }

    let resources: [Resource]
    let validatesOnly: Bool

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        resources = try reader.structures { reader throws(WireError) in
            Resource(
                resource: ConfigurationResource(type: try reader.int8(), name: try reader.string()),
                changes: try reader.structures { reader throws(WireError) in
                    (try reader.string(), Operation(rawValue: try reader.int8()), try reader.nullableString())
                })
        }
        validatesOnly = try reader.bool()
    }
}

/// The answer to both.
struct AlterConfigsResponse: ResponseMessage {
    struct Result {
        var resource: ConfigurationResource
        var error = ErrorCode.none
        var message: String?
    }

    var results: [Result]

    func write(to writer: inout WireWriter, version: Int16) {
        writer.throttle()
        writer.structures(results) { writer, result in
            writer.error(result.error)
            writer.nullableString(result.message)
            writer.int8(result.resource.type)
            writer.string(result.resource.name)
        }
    }
}
