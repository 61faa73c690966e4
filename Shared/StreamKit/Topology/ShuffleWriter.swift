/// Writes records of a step's own making to a repartition topic.
public final class ShuffleWriter {
    private let output: TaskOutput
    private let target: Int32
    private var value: [UInt8] = []

    init(_ output: TaskOutput, target: Int32) {
        self.output = output
        self.target = target
    }

    /// Where the key belongs.
    func send(_ partial: PartialAggregate, key: [UInt8]) throws(StreamFault) {
        partial.encode(into: &value)
        let partition = key.withUnsafeBytes { Murmur2.partition(of: $0, among: output.partitionCount(target)) }
        try send(key: key, partition: partition)
    }

    /// To every partition.
    func broadcast(_ report: EventTimeReport) throws(StreamFault) {
        report.encode(into: &value)
        for partition in 0..<output.partitionCount(target) { try send(key: nil, partition: partition) }
    }

    private func send(key: [UInt8]?, partition: Int32) throws(StreamFault) {
        do throws(SendFailure) {
            try value.withBytes { (value) throws(SendFailure) in
                guard let key else { return try send(nil, value, partition) }
                try key.withBytes { (key) throws(SendFailure) in try send(key, value, partition) }
            }
        } catch {
            switch error {
            case .failed(let failure): throw .broker(failure)
            case .refused(let reason):
                throw .broker(BrokerFailure(.stop, operation: "write to a repartition topic", reason: reason))
            }
        }
    }

    private func send(_ key: Bytes?, _ value: Bytes, _ partition: Int32) throws(SendFailure) {
        try output.send(to: target, partition: partition, key: key, value: value, timestampMilliseconds: -1)
    }
}
