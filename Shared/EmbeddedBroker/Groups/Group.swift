/// A protocol a member can follow, with what it tells the leader under it.
struct GroupProtocol: Equatable {
    let name: String
    let metadata: [UInt8]
}

/// Limits that a broker sets to all groups.
struct GroupLimits {
    var minimumSessionTimeoutMilliseconds: Int32
    var maximumSessionTimeoutMilliseconds: Int32
    /// How long the first round of an empty group waits for more members.
    var initialRebalanceDelayMilliseconds: Int64
}

/// An answer that a group gives now, perhaps to a request it has kept waiting.
enum GroupAction {
    case answerJoin(ReplyHandle, JoinGroupResponse)
    case answerSync(ReplyHandle, SyncGroupResponse)
}

/// A consumer group of the classic protocol: a value that takes requests and times and returns answers.
///
/// A round runs from `preparingRebalance`, in which members (re)join, through `completingRebalance`, in which the leader's
/// assignment is awaited, to `stable`.
struct Group {
    enum State: String {
        case empty = "Empty"
        case preparingRebalance = "PreparingRebalance"
        case completingRebalance = "CompletingRebalance"
        case stable = "Stable"
    }

    struct Member {
        var id: String
        let instanceID: String?
        var clientID: String
        var clientHost: String
        var sessionTimeoutMilliseconds: Int64
        var rebalanceTimeoutMilliseconds: Int64
        var protocols: [GroupProtocol]
        var assignment: [UInt8] = []
        var sessionDeadline: Int64 = 0
        var waitingJoin: ReplyHandle?
        var waitingSync: ReplyHandle?

        func metadata(for protocolName: String) -> [UInt8] {
            protocols.first { $0.name == protocolName }?.metadata ?? []
        }
    }

    /// A dynamic member that was given its id and has not joined with it yet.
    struct PendingMember {
        let id: String
        let deadline: Int64
    }

    let id: String
    var state = State.empty
    var generation: Int32 = 0
    var protocolType: String?
    var protocolName: String?
    var leaderID: String?
    var members: [Member] = []
    var pendingMembers: [PendingMember] = []
    /// When a round ends without those who have not rejoined, or a generation without those who have not synchronised.
    var roundDeadline: Int64?
    /// The latest end of the waiting of an empty group's first round; nil in other rounds.
    var initialRoundLimit: Int64?
    /// What outlives a restart has changed; cleared by whoever stores it.
    var needsStoring = false
    /// Answers to give; taken by whoever handed in the event.
    private(set) var actions: [GroupAction] = []

    init(id: String) { self.id = id }

    var hasMembers: Bool { !members.isEmpty }

    mutating func takeActions() -> [GroupAction] {
        defer { actions = [] }
        return actions
    }

    mutating func answer(_ handle: ReplyHandle, _ response: JoinGroupResponse) {
        actions.append(.answerJoin(handle, response))
    }

    mutating func answer(_ handle: ReplyHandle, _ response: SyncGroupResponse) {
        actions.append(.answerSync(handle, response))
    }

    func index(of memberID: String) -> Int? { members.firstIndex { $0.id == memberID } }

    func index(ofInstance instanceID: String) -> Int? { members.firstIndex { $0.instanceID == instanceID } }

    /// Whether someone may act as a member.
    /// - Returns: where the member stands, or why not.
    func validate(_ identity: MemberIdentity) -> Result<Int, ErrorCode> {
        if let instanceID = identity.instanceID {
            guard let index = index(ofInstance: instanceID) else { return .failure(.unknownMemberID) }
            guard members[index].id == identity.memberID else { return .failure(.fencedInstanceID) }
        }
        guard let index = index(of: identity.memberID) else { return .failure(.unknownMemberID) }
        guard identity.generation == generation else { return .failure(.illegalGeneration) }
        return .success(index)
    }

    /// A sign of life: the session starts anew.
    mutating func touch(_ index: Int, now: Int64) {
        members[index].sessionDeadline = now + members[index].sessionTimeoutMilliseconds
    }

    // MARK: - Requests of members

    mutating func heartbeat(_ identity: MemberIdentity, now: Int64) -> ErrorCode {
        switch validate(identity) {
        case .failure(let error): return error
        case .success(let index):
            touch(index, now: now)
            return state == .preparingRebalance ? .rebalanceInProgress : .none
        }
    }

    mutating func sync(_ request: SyncGroupRequest, reply: ReplyHandle, now: Int64) {
        let index: Int
        switch validate(request.identity) {
        case .failure(let error): return answer(reply, SyncGroupResponse(error: error))
        case .success(let found): index = found
        }
        if let type = request.protocolType, type != protocolType {
            return answer(reply, SyncGroupResponse(error: .inconsistentGroupProtocol))
        }
        if let name = request.protocolName, name != protocolName {
            return answer(reply, SyncGroupResponse(error: .inconsistentGroupProtocol))
        }
        touch(index, now: now)
        switch state {
        case .empty:
            answer(reply, SyncGroupResponse(error: .unknownMemberID))
        case .preparingRebalance:
            answer(reply, SyncGroupResponse(error: .rebalanceInProgress))
        case .stable:
            answer(reply, syncResponse(members[index]))
        case .completingRebalance:
            if let former = members[index].waitingSync {
                answer(former, SyncGroupResponse(error: .rebalanceInProgress))
            }
            members[index].waitingSync = reply
            if members[index].id == leaderID { distribute(request.assignments, now: now) }
        }
    }

    private mutating func distribute(_ assignments: [(memberID: String, assignment: [UInt8])], now: Int64) {
        let byMember = Dictionary(assignments.map { ($0.memberID, $0.assignment) }) { first, _ in first }
        state = .stable
        needsStoring = true
        roundDeadline = nil
        for index in members.indices {
            members[index].assignment = byMember[members[index].id] ?? []
            guard let waiting = members[index].waitingSync else { continue }
            members[index].waitingSync = nil
            touch(index, now: now)
            answer(waiting, syncResponse(members[index]))
        }
    }

    private func syncResponse(_ member: Member) -> SyncGroupResponse {
        SyncGroupResponse(protocolType: protocolType, protocolName: protocolName, assignment: member.assignment)
    }

    mutating func leave(_ leaving: LeaveGroupRequest.Member, now: Int64) -> ErrorCode {
        if let instanceID = leaving.instanceID {
            guard let index = index(ofInstance: instanceID) else { return .unknownMemberID }
            guard leaving.memberID.isEmpty || members[index].id == leaving.memberID else { return .fencedInstanceID }
            remove(at: index, now: now)
            return .none
        }
        if let pending = pendingMembers.firstIndex(where: { $0.id == leaving.memberID }) {
            pendingMembers.remove(at: pending)
            completeRoundIfAllJoined(now: now)
            return .none
        }
        guard let index = index(of: leaving.memberID) else { return .unknownMemberID }
        remove(at: index, now: now)
        return .none
    }

    /// Takes a member out; the others share its work anew.
    private mutating func remove(at index: Int, now: Int64) {
        let member = members.remove(at: index)
        if let waiting = member.waitingJoin {
            answer(waiting, JoinGroupResponse(error: .unknownMemberID, memberID: member.id))
        }
        if let waiting = member.waitingSync { answer(waiting, SyncGroupResponse(error: .unknownMemberID)) }
        if leaderID == member.id { leaderID = members.first?.id }
        switch state {
        case .empty: break
        case .preparingRebalance: completeRoundIfAllJoined(now: now)
        case .completingRebalance, .stable: beginRound(now: now)
        }
    }

    // MARK: - Time

    /// When `tick` has something to do next.
    var nextDeadline: Int64? {
        var next = roundDeadline
        func consider(_ deadline: Int64) { next = min(next ?? deadline, deadline) }
        for member in members where member.waitingJoin == nil && member.waitingSync == nil {
            consider(member.sessionDeadline)
        }
        for pending in pendingMembers { consider(pending.deadline) }
        return next
    }

    mutating func tick(now: Int64) {
        let expiredPending = pendingMembers.contains { $0.deadline <= now }
        pendingMembers.removeAll { $0.deadline <= now }
        while let expired = members.firstIndex(where: {
            $0.waitingJoin == nil && $0.waitingSync == nil && $0.sessionDeadline <= now
        }) {
            remove(at: expired, now: now)
        }
        if expiredPending { completeRoundIfAllJoined(now: now) }
        guard let deadline = roundDeadline, deadline <= now else { return }
        switch state {
        case .preparingRebalance: completeRound(now: now)
        case .completingRebalance: dropUnsynchronisedMembers(now: now)
        case .empty, .stable: roundDeadline = nil
        }
    }

    private mutating func dropUnsynchronisedMembers(now: Int64) {
        members.removeAll { $0.waitingSync == nil }
        if let leader = leaderID, index(of: leader) == nil { leaderID = members.first?.id }
        beginRound(now: now)
    }

    // MARK: - Offsets

    /// Whether this group accepts offsets from `identity`. Generation -1 commits from outside, which a group takes while it
    /// has no members; in a transaction such a commit, if it names no member either, is not checked at all.
    mutating func acceptsOffsets(from identity: MemberIdentity, inTransaction: Bool, now: Int64) -> ErrorCode {
        if identity.generation < 0 {
            if !hasMembers { return .none }
            let namesNobody = identity.memberID.isEmpty && identity.instanceID == nil
            if namesNobody { return inTransaction ? .none : .unknownMemberID }
        }
        switch validate(identity) {
        case .failure(let error): return error
        case .success(let index):
            if state == .completingRebalance && !inTransaction { return .rebalanceInProgress }
            touch(index, now: now)
            return .none
        }
    }
}
