import StreamKit

/// A consumer group with the classic, eager protocol and the `range` assignor: when its membership changes, every member
/// gives up everything (with its next poll), and once all have, the partitions are dealt out anew.
final class ConsumerGroup {
    final class Member {
        let instance: String
        let thread: Int
        let isStatic: Bool
        let topics: [String]
        /// Of the assignment that the member was told, or is about to be.
        var generation = 0
        var assignment: [TopicPartition] = []
        var hasHeard = false
        var hasRejoined = true
        /// Another process took its place (static), or it was silent for too long.
        var state = State.member

        enum State { case member, expired, fenced, left }

        init(instance: String, thread: Int, isStatic: Bool, topics: [String]) {
            self.instance = instance
            self.thread = thread
            self.isStatic = isStatic
            self.topics = topics
        }
    }

    var offsets: [TopicPartition: CommittedOffset] = [:]
    private(set) var generation = 0
    private var isRebalancing = false
    private var members: [Member] = []
    private let partitionCount: (String) -> Int32

    init(partitionCount: @escaping (String) -> Int32) { self.partitionCount = partitionCount }

    var assignments: [String: [TopicPartition]] {
        Dictionary(
            members.map { ("\($0.instance)-\($0.thread)", $0.assignment) }, uniquingKeysWith: { first, _ in first })
    }

    func join(instance: String, thread: Int, isStatic: Bool, topics: [String]) -> Member {
        let member = Member(instance: instance, thread: thread, isStatic: isStatic, topics: topics)
        if isStatic, let index = members.firstIndex(where: { $0.instance == instance && $0.thread == thread }) {
            // It takes the place of the one before it, with its partitions, and nobody else hears of it.
            let old = members[index]
            member.generation = old.generation
            member.assignment = old.assignment
            old.state = .fenced
            members[index] = member
            if isRebalancing { completeIfAllRejoined() }
            return member
        }
        members.append(member)
        prepare()
        member.hasRejoined = true
        completeIfAllRejoined()
        return member
    }

    func leave(_ member: Member) {
        guard member.state == .member else { return }
        member.state = .left
        if member.isStatic { return }
        remove(member)
    }

    func evict(instance: String, thread: Int) {
        for member in members where member.instance == instance && member.thread == thread {
            if member.state == .member { member.state = .expired }
            remove(member)
        }
    }

    func topicAppeared(_ topic: String) {
        if members.contains(where: { $0.topics.contains(topic) }) {
            prepare()
            completeIfAllRejoined()
        }
    }

    /// The member has to give up what it has before the group can go on.
    func mustRejoin(_ member: Member) -> Bool { isRebalancing && !member.hasRejoined }

    func rejoin(_ member: Member) {
        member.hasRejoined = true
        completeIfAllRejoined()
    }

    /// May this member commit offsets? A broker asks for the generation that it knows.
    func accepts(_ member: Member) -> Bool { member.state == .member && member.generation == generation }

    private func remove(_ member: Member) {
        members.removeAll { $0 === member }
        prepare()
        completeIfAllRejoined()
    }

    private func prepare() {
        isRebalancing = true
        // Who was not told of any assignment has nothing to give up.
        for member in members { member.hasRejoined = !member.hasHeard }
    }

    private func completeIfAllRejoined() {
        guard isRebalancing, members.allSatisfy(\.hasRejoined) else { return }
        isRebalancing = false
        generation += 1
        for member in members {
            member.assignment = []
            member.hasHeard = false
            member.generation = generation
        }
        for topic in Set(members.flatMap(\.topics)).sorted() { deal(topic) }
    }

    /// `range`: each topic by itself, in ranges, to the members in the order of their names.
    private func deal(_ topic: String) {
        let readers = members.filter { $0.topics.contains(topic) }
            .sorted { ($0.instance, $0.thread) < ($1.instance, $1.thread) }
        let count = Int(partitionCount(topic))
        var next = 0
        for (index, member) in readers.enumerated() {
            let share = count / readers.count + (index < count % readers.count ? 1 : 0)
            member.assignment += (next..<next + share).map { TopicPartition(topic, Int32($0)) }
            next += share
        }
    }

    /// The member is told its assignment only while the group is at rest.
    func hasNews(for member: Member) -> Bool { !isRebalancing && !member.hasHeard && member.generation == generation }
}
