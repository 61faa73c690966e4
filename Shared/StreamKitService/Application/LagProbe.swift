internal import StreamKit
internal import Synchronization

/// Asks now and then where the inputs end, beside the stream threads: a broker that does not answer holds up neither them nor
/// the ops pages.
final class LagProbe: Sendable {
    private let found = Mutex<[TopicPartition: Int64]>([:])

    /// The last stable offsets as of the last look.
    var ends: [TopicPartition: Int64] { found.withLock { $0 } }

    func look(_ statuses: [ThreadStatus], _ source: any StableEndSource) {
        let partitions = statuses.flatMap { $0.snapshot.partitions.keys }
        // Without an answer the last one stands: a gap in lag would look like none.
        guard !partitions.isEmpty, let ends = try? source.stableEnds(of: partitions) else { return }
        found.withLock { $0 = ends }
    }
}
