internal import Kafka
internal import StreamKitService

/// What `streamctl reset` is asked for.
public struct ResetRequest: Sendable {
    public enum Target: String, CaseIterable, Sendable {
        case earliest, latest
    }

    public let application: String
    public var target = Target.earliest
    /// Only these inputs are read anew; nil: all.
    public var inputs: [String]?
    /// Where local state is looked for.
    public var stateDirectory: String

    public init(application: String, stateDirectory: String) {
        self.application = application
        self.stateDirectory = stateDirectory
    }
}

/// Everything that a reset will do, found out before it does any of it.
public struct ResetPlan: Equatable, Sendable {
    let application: String
    /// All offsets go with the group.
    var deletesGroup = false
    var offsetsToSet: [TopicPartition: Int64] = [:]
    var offsetsToDelete: [TopicPartition] = []
    var topicsToDelete: [String] = []
    /// Topics that look like the application's and are another's.
    var topicsLeftAlone: [String] = []
    var foldersToRemove: [String] = []
    /// Who is in the group: as long as somebody is, nothing is done.
    var liveMembers: [String] = []

    /// Why it cannot be done now; nil if it can.
    public var obstacle: String? {
        if liveMembers.isEmpty { return nil }
        let count = liveMembers.count == 1 ? "a live member" : "\(liveMembers.count) live members"
        return
            "\(application) has \(count): \(liveMembers.joined(separator: ", ")). Stop it first; an instance with an "
            + "INSTANCE_ID stays a member for its session time-out (10 s by default)."
    }

    public var isEmpty: Bool {
        !deletesGroup && offsetsToSet.isEmpty && offsetsToDelete.isEmpty && topicsToDelete.isEmpty
            && foldersToRemove.isEmpty
    }

    /// A line for each step.
    public var lines: [String] {
        var lines: [String] = []
        if deletesGroup { lines.append("delete the group \(application) with all its offsets") }
        lines += offsetsToSet.sorted { $0.key < $1.key }.map { "set the offset of \($0.key) to \($0.value)" }
        lines += offsetsToDelete.sorted().map { "delete the offset of \($0)" }
        lines += topicsToDelete.map { "delete the topic \($0)" }
        lines += foldersToRemove.map { "remove the folder \($0)" }
        lines += topicsLeftAlone.map { "leave \($0) alone: it belongs to another application" }
        return lines
    }
}

/// Makes an application begin anew: its offsets, its internal topics, its local state.
public final class ApplicationReset {
    private static let internalSuffixes = ["-changelog", "-repartition"]

    private let admin: KafkaAdmin

    public init(_ connection: ClusterConnection) throws {
        admin = try connection.admin()
    }

    /// - Throws: if what is asked for is not there.
    public func plan(_ request: ResetRequest) throws -> ResetPlan {
        let (application, timeout) = (request.application, ClusterConnection.timeout)
        let topics = try admin.topics(timeout: timeout)
        let all = topics.values.flatMap(\.topicPartitions)
        let committed = try admin.committedOffsets(of: application, all, timeout: timeout)
        var plan = ResetPlan(application: application)
        plan.liveMembers = try admin.describeGroup(application, timeout: timeout).members
            .map { $0.instanceId ?? $0.memberId }.sorted()
        let others = try admin.consumerGroups(timeout: timeout).filter { $0.hasPrefix("\(application)-") }
        for topic in topics.keys.sorted() where Self.isInternal(topic, of: application) {
            // `orders-enricher` has topics that begin as those of `orders` do.
            if others.contains(where: { Self.isInternal(topic, of: $0) }) {
                plan.topicsLeftAlone.append(topic)
            } else {
                plan.topicsToDelete.append(topic)
            }
        }
        let own = Set(plan.topicsToDelete)
        for input in request.inputs ?? [] where topics[input] == nil {
            throw ClusterQuestionError("there is no topic \(input)")
        }
        let inputs = request.inputs.map(Set.init) ?? Set(committed.keys.map(\.topic)).subtracting(own)
        switch request.target {
        case .earliest where request.inputs == nil: plan.deletesGroup = !committed.isEmpty
        case .earliest: plan.offsetsToDelete = committed.keys.filter { inputs.contains($0.topic) }
        case .latest:
            if inputs.isEmpty {
                throw ClusterQuestionError("\(application) has committed nothing: name its inputs with --input")
            }
            let partitions = inputs.flatMap { topics[$0]?.topicPartitions ?? [] }
            plan.offsetsToSet = try admin.offsets(.latestCommitted, of: partitions, timeout: timeout)
        }
        if !plan.deletesGroup { plan.offsetsToDelete += committed.keys.filter { own.contains($0.topic) } }
        plan.offsetsToDelete.sort()
        plan.foldersToRemove = LocalState.folders(of: application, in: request.stateDirectory)
        return plan
    }

    /// Does it: offsets first, since the broker refuses them while somebody reads.
    ///
    /// - Throws: while the application runs, before anything is done.
    public func perform(_ plan: ResetPlan) throws {
        if let obstacle = plan.obstacle { throw ClusterQuestionError(obstacle) }
        let timeout = ClusterConnection.timeout
        do {
            if plan.deletesGroup {
                try refuse(admin.deleteGroups([plan.application], timeout: timeout))
            }
            let offsets = plan.offsetsToSet.mapValues { CommittedOffset(offset: $0) }
            try refuse(admin.setCommittedOffsets(of: plan.application, offsets, timeout: timeout))
            try refuse(
                admin.deleteCommittedOffsets(of: plan.application, plan.offsetsToDelete, timeout: timeout))
            try refuse(admin.deleteTopics(plan.topicsToDelete, timeout: timeout))
            for folder in plan.foldersToRemove { try LocalState.remove(folder, of: plan.application) }
        } catch {
            throw ClusterQuestionError(
                "\(error)\nThe reset is not complete: run it again before \(plan.application) is started.")
        }
    }

    private func refuse<Subject>(_ failures: [Subject: KafkaError]) throws {
        if let failure = failures.values.min(by: { $0.description < $1.description }) { throw failure }
    }

    private static func isInternal(_ topic: String, of application: String) -> Bool {
        topic.hasPrefix("\(application)-") && internalSuffixes.contains { topic.hasSuffix($0) }
    }
}
