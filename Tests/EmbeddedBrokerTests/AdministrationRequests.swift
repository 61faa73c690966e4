import EmbeddedBroker
import XCTest

/// What administrators ask, each in one version that is not flexible.
extension BrokerDriver {
    func growTopic(_ name: String, to count: Int32) throws -> Int16 {
        try ask(37, 0) { body in
            body.array([name]) { body, name in
                body.string(name)
                body.int32(count)
                body.int32(-1)
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

    /// - Parameter operation: 0 sets, 1 deletes, 2 appends, 3 subtracts.
    func alterSetting(_ topic: String, _ name: String, operation: Int8, _ value: String?) throws -> Int16 {
        try ask(44, 0) { body in
            body.array([topic]) { body, topic in
                body.int8(2)
                body.string(topic)
                body.array([name]) { body, name in
                    body.string(name)
                    body.int8(operation)
                    body.nullableString(value)
                }
            }
            body.bool(false)
        } reading: { answer in
            _ = try answer.int32()
            return try answer.array { answer throws(WireError) in
                let error = try answer.int16()
                _ = try answer.nullableString()
                _ = try answer.int8()
                _ = try answer.string()
                return error
            }[0]
        }
    }

    /// A topic's settings; nil for an unknown topic.
    func settings(of topic: String) throws -> [String: String]? {
        try ask(32, 1) { body in
            body.array([topic]) { body, topic in
                body.int8(2)
                body.string(topic)
                body.int32(-1)
            }
            body.bool(false)
        } reading: { answer in
            _ = try answer.int32()
            return try answer.array { answer throws(WireError) -> [String: String]? in
                let error = try answer.int16()
                _ = try answer.nullableString()
                _ = try answer.int8()
                _ = try answer.string()
                let pairs = try answer.array { answer throws(WireError) in
                    let pair = (try answer.string(), try answer.nullableString() ?? "")
                    for _ in 0..<3 { _ = try answer.int8() }
                    _ = try answer.int32()
                    return pair
                }
                return error == 0 ? Dictionary(uniqueKeysWithValues: pairs) : nil
            }[0]
        }
    }

    func listGroups() throws -> [String] {
        try ask(16, 0) { _ in
        } reading: { answer in
            _ = try answer.int16()
            return try answer.array { answer throws(WireError) in
                let id = try answer.string()
                _ = try answer.string()
                return id
            }
        }
    }

    /// The states of groups, in the order of the answer.
    func describeGroups(_ ids: [String]) throws -> [String] {
        try ask(15, 0) { body in
            body.array(ids) { $0.string($1) }
        } reading: { answer in
            try answer.array { answer throws(WireError) in
                _ = try answer.int16()
                let id = try answer.string()
                let state = try answer.string()
                for _ in 0..<2 { _ = try answer.string() }
                let members = try answer.array { answer throws(WireError) in
                    for _ in 0..<3 { _ = try answer.string() }
                    for _ in 0..<2 { _ = try answer.bytes() }
                }.count
                return "\(id) \(state) \(members)"
            }
        }
    }

    func deleteGroup(_ id: String) throws -> Int16 {
        try ask(42, 0) { body in
            body.array([id]) { $0.string($1) }
        } reading: { answer in
            _ = try answer.int32()
            return try answer.array { answer throws(WireError) in
                _ = try answer.string()
                return try answer.int16()
            }[0]
        }
    }

    /// The error of the whole answer, or else that of the partition.
    func deleteOffset(_ topic: String, of group: String) throws -> Int16 {
        try ask(47, 0) { body in
            body.string(group)
            body.array([topic]) { body, topic in
                body.string(topic)
                body.array([Int32(0)]) { $0.int32($1) }
            }
        } reading: { answer in
            let error = try answer.int16()
            return error != 0 ? error : try answer.firstPartitionError(afterThrottle: true)
        }
    }
}
