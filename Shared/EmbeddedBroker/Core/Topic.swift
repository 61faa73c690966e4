/// A partition, and the fetches that wait for it to change.
final class Partition {
    let log: PartitionLog
    /// Numbers of waiting fetches, oldest first.
    var waitingFetches: [UInt64] = []

    init(log: PartitionLog) { self.log = log }
}

final class Topic {
    let name: String
    let id: UUID128
    var configuration: TopicConfiguration
    var partitions: [Partition] = []

    init(name: String, id: UUID128, configuration: TopicConfiguration) {
        self.name = name
        self.id = id
        self.configuration = configuration
    }

    func partition(_ index: Int32) -> Partition? {
        partitions.indices.contains(Int(index)) ? partitions[Int(index)] : nil
    }
}

/// What a topic may be called, and how large it may be.
enum TopicRules {
    /// More would be a mistake, and each costs memory.
    static let maximumPartitions = 10_000
    /// Of all topics together: a request names a hundred thousand topics at most.
    static let maximumPartitionsInAll = 100_000

    static func isValidName(_ name: String) -> Bool {
        guard (1...249).contains(name.utf8.count), name != ".", name != ".." else { return false }
        return name.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                || byte == 0x2e || byte == 0x5f || byte == 0x2d
        }
    }
}
