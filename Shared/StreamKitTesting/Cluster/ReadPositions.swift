import StreamKit

/// Which partitions a client reads, and from where: the part that a group's consumer and a plain reader share.
struct ReadPositions {
    private struct Position {
        var offset: Int64
        var isPaused: Bool
        var endReported = false
        var lossReported = false
        var hasRead = false
    }

    private var numbers: [TopicPartition: Int32] = [:]
    private var partitions: [TopicPartition] = []
    private var positions: [TopicPartition: Position] = [:]
    private var turn = 0

    mutating func index(of partition: TopicPartition) -> Int32 {
        if let number = numbers[partition] { return number }
        let number = Int32(partitions.count)
        numbers[partition] = number
        partitions.append(partition)
        return number
    }

    func partition(at index: Int32) -> TopicPartition { partitions[Int(index)] }

    mutating func assign(_ starts: [StartOffset]) {
        positions = [:]
        for start in starts {
            positions[start.partition] = Position(offset: start.offset, isPaused: start.paused)
        }
    }

    mutating func seek(_ partition: TopicPartition, to offset: Int64) throws(BrokerFailure) {
        guard let position = positions[partition] else { throw notAssigned("seek", partition) }
        positions[partition] = Position(offset: offset, isPaused: position.isPaused)
    }

    mutating func setPaused(_ isPaused: Bool, _ partition: TopicPartition) throws(BrokerFailure) {
        guard positions[partition] != nil else { throw notAssigned(isPaused ? "pause" : "resume", partition) }
        positions[partition]?.isPaused = isPaused
    }

    /// nil before anything was asked for.
    func position(of partition: TopicPartition) -> Int64? {
        positions[partition].flatMap { $0.hasRead ? $0.offset : nil }
    }

    struct Fetched {
        var records: [(source: Int32, record: StoredRecord)] = []
        var reachedEnd: [Int32] = []
        var lost: [TopicPartition] = []
        var isEmpty: Bool { records.isEmpty && reachedEnd.isEmpty && lost.isEmpty }
    }

    /// Takes up to `maximum` records, a few of each partition in turn, beginning with another one each time.
    mutating func fetch(from cluster: InMemoryCluster, maximum: Int, atOnce: Int) -> Fetched {
        var fetched = Fetched()
        let readable = positions.keys.sorted()
        if readable.isEmpty { return fetched }
        turn += 1
        var tookSome = true
        while tookSome && fetched.records.count < maximum {
            tookSome = false
            for step in readable.indices where fetched.records.count < maximum {
                let partition = readable[(turn + step) % readable.count]
                let room = min(max(1, atOnce), maximum - fetched.records.count)
                if take(partition, from: cluster, room: room, into: &fetched) { tookSome = true }
            }
        }
        return fetched
    }

    private mutating func take(
        _ partition: TopicPartition, from cluster: InMemoryCluster, room: Int, into fetched: inout Fetched
    ) -> Bool {
        guard var position = positions[partition], !position.isPaused, let bounds = cluster.bounds(of: partition),
            let log = cluster.log(partition)
        else { return false }
        defer { positions[partition] = position }
        if position.offset < bounds.first || position.offset > bounds.end {
            if !position.lossReported { fetched.lost.append(partition) }
            position.lossReported = true
            return false
        }
        let (records, next) = log.read(from: position.offset, maximum: room)
        let source = index(of: partition)
        fetched.records += records.map { (source, $0) }
        position.offset = next
        position.hasRead = true
        if !records.isEmpty { position.endReported = false }
        if next >= log.stableEnd && !position.endReported {
            position.endReported = true
            fetched.reachedEnd.append(source)
        }
        return !records.isEmpty
    }

    private func notAssigned(_ operation: String, _ partition: TopicPartition) -> BrokerFailure {
        BrokerFailure(.stop, operation: "\(operation) \(partition)", reason: "it is not assigned to this consumer")
    }
}
