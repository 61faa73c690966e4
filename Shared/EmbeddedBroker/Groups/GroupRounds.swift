/// Joining, and the rounds that follow from it.
extension Group {
    /// Who asks to join, and from where.
    struct JoinContext {
        let reply: ReplyHandle
        let clientID: String
        let clientHost: String
        /// An id for the member, if it needs one.
        let newMemberID: String
        let now: Int64
    }

    mutating func join(_ request: JoinGroupRequest, _ context: JoinContext, limits: GroupLimits) {
        let sessionTimeouts = limits.minimumSessionTimeoutMilliseconds...limits.maximumSessionTimeoutMilliseconds
        guard sessionTimeouts.contains(request.sessionTimeoutMilliseconds) else {
            return refuse(.invalidSessionTimeout, request, context)
        }
        guard canAccept(request) else { return refuse(.inconsistentGroupProtocol, request, context) }
        if let instanceID = request.instanceID {
            joinStatic(request, instanceID: instanceID, context, limits)
        } else if request.memberID.isEmpty {
            joinWithoutID(request, context, limits)
        } else if let index = index(of: request.memberID) {
            rejoin(index, request, context, limits)
        } else if let pending = pendingMembers.firstIndex(where: { $0.id == request.memberID }) {
            pendingMembers.remove(at: pending)
            add(request, id: request.memberID, context, limits)
        } else {
            refuse(.unknownMemberID, request, context)
        }
    }

    private mutating func refuse(_ error: ErrorCode, _ request: JoinGroupRequest, _ context: JoinContext) {
        answer(context.reply, JoinGroupResponse(error: error, memberID: request.memberID))
    }

    /// Whether the protocols of a joining member go with those of the others.
    private func canAccept(_ request: JoinGroupRequest) -> Bool {
        guard !request.protocolType.isEmpty, !request.protocols.isEmpty else { return false }
        let others = members.filter {
            $0.id != request.memberID && ($0.instanceID == nil || $0.instanceID != request.instanceID)
        }
        guard !others.isEmpty else { return true }
        guard request.protocolType == protocolType else { return false }
        return request.protocols.contains { offered in
            others.allSatisfy { $0.protocols.contains { $0.name == offered.name } }
        }
    }

    private mutating func joinWithoutID(_ request: JoinGroupRequest, _ context: JoinContext, _ limits: GroupLimits) {
        guard request.requiresKnownMemberID else {
            return add(request, id: context.newMemberID, context, limits)
        }
        pendingMembers.append(
            PendingMember(
                id: context.newMemberID, deadline: context.now + Int64(request.sessionTimeoutMilliseconds)))
        answer(context.reply, JoinGroupResponse(error: .memberIDRequired, memberID: context.newMemberID))
    }

    private mutating func joinStatic(
        _ request: JoinGroupRequest, instanceID: String, _ context: JoinContext, _ limits: GroupLimits
    ) {
        guard let index = index(ofInstance: instanceID) else {
            guard request.memberID.isEmpty else { return refuse(.unknownMemberID, request, context) }
            return add(request, id: context.newMemberID, context, limits)
        }
        if request.memberID.isEmpty {
            replace(index, request, context, limits)
        } else if members[index].id == request.memberID {
            rejoin(index, request, context, limits)
        } else {
            refuse(.fencedInstanceID, request, context)
        }
    }

    private mutating func add(
        _ request: JoinGroupRequest, id: String, _ context: JoinContext, _ limits: GroupLimits
    ) {
        var member = Member(
            id: id, instanceID: request.instanceID, clientID: context.clientID, clientHost: context.clientHost,
            sessionTimeoutMilliseconds: Int64(request.sessionTimeoutMilliseconds),
            rebalanceTimeoutMilliseconds: Int64(max(0, request.rebalanceTimeoutMilliseconds)),
            protocols: request.protocols)
        member.waitingJoin = context.reply
        if members.isEmpty { protocolType = request.protocolType }
        members.append(member)
        if leaderID == nil { leaderID = id }
        switch state {
        case .empty: beginInitialRound(context, limits)
        case .preparingRebalance: extendInitialRound(context, limits)
        case .completingRebalance, .stable: beginRound(now: context.now)
        }
    }

    private mutating func update(_ index: Int, _ request: JoinGroupRequest, _ context: JoinContext) {
        members[index].protocols = request.protocols
        members[index].clientID = context.clientID
        members[index].clientHost = context.clientHost
        members[index].sessionTimeoutMilliseconds = Int64(request.sessionTimeoutMilliseconds)
        members[index].rebalanceTimeoutMilliseconds = Int64(max(0, request.rebalanceTimeoutMilliseconds))
        if members.count == 1 { protocolType = request.protocolType }
    }

    private mutating func rejoin(
        _ index: Int, _ request: JoinGroupRequest, _ context: JoinContext, _ limits: GroupLimits
    ) {
        let isUnchanged = members[index].protocols == request.protocols
        update(index, request, context)
        switch state {
        case .empty:
            refuse(.unknownMemberID, request, context)
        case .preparingRebalance:
            wait(index, context)
            completeRoundIfAllJoined(now: context.now)
        case .completingRebalance where isUnchanged:
            // The answer was lost: the member gets it again.
            touch(index, now: context.now)
            answer(context.reply, joinResponse(members[index]))
        case .stable where isUnchanged && members[index].id != leaderID:
            touch(index, now: context.now)
            answer(context.reply, joinResponse(members[index]))
        case .completingRebalance, .stable:
            wait(index, context)
            beginRound(now: context.now)
        }
    }

    /// A static member comes back without its member id: it takes its predecessor's place, who is fenced from now on.
    private mutating func replace(
        _ index: Int, _ request: JoinGroupRequest, _ context: JoinContext, _ limits: GroupLimits
    ) {
        let predecessor = members[index]
        if let waiting = predecessor.waitingJoin {
            answer(waiting, JoinGroupResponse(error: .fencedInstanceID, memberID: predecessor.id))
        }
        if let waiting = predecessor.waitingSync { answer(waiting, SyncGroupResponse(error: .fencedInstanceID)) }
        members[index].id = context.newMemberID
        members[index].waitingJoin = nil
        members[index].waitingSync = nil
        let leaderBefore = leaderID
        if leaderID == predecessor.id { leaderID = context.newMemberID }
        let keepsSubscription = Self.haveSameSubscription(predecessor.protocols, request.protocols)
        update(index, request, context)
        switch state {
        case .empty:
            wait(index, context)
            beginInitialRound(context, limits)
        case .preparingRebalance:
            wait(index, context)
            completeRoundIfAllJoined(now: context.now)
        case .stable where keepsSubscription && selectProtocol() == protocolName:
            needsStoring = true
            touch(index, now: context.now)
            // Naming the former leader keeps a returning leader from assigning anew: it takes what it had.
            var response = joinResponse(members[index])
            response.leader = leaderBefore ?? ""
            response.members = []
            answer(context.reply, response)
        case .completingRebalance, .stable:
            wait(index, context)
            beginRound(now: context.now)
        }
    }

    /// Whether two members' metadata name the same topics. Beyond them it may hold what a member owned, which a restart loses.
    private static func haveSameSubscription(_ before: [GroupProtocol], _ after: [GroupProtocol]) -> Bool {
        guard before.map(\.name) == after.map(\.name) else { return false }
        return zip(before, after).allSatisfy { old, new in
            if old.metadata == new.metadata { return true }
            guard let topics = Subscription.topics(old.metadata) else { return false }
            return topics == Subscription.topics(new.metadata)
        }
    }

    private mutating func wait(_ index: Int, _ context: JoinContext) {
        if let former = members[index].waitingJoin {
            answer(former, JoinGroupResponse(error: .unknownMemberID, memberID: members[index].id))
        }
        members[index].waitingJoin = context.reply
        touch(index, now: context.now)
    }

    // MARK: - Rounds

    private mutating func beginInitialRound(_ context: JoinContext, _ limits: GroupLimits) {
        state = .preparingRebalance
        initialRoundLimit = context.now + longestRebalanceTimeout
        roundDeadline = context.now
        extendInitialRound(context, limits)
    }

    /// Each new member of an initial round prolongs it, within the members' rebalance time-out.
    private mutating func extendInitialRound(_ context: JoinContext, _ limits: GroupLimits) {
        guard let limit = initialRoundLimit else { return completeRoundIfAllJoined(now: context.now) }
        guard limits.initialRebalanceDelayMilliseconds > 0 else { return completeRound(now: context.now) }
        roundDeadline = min(context.now + limits.initialRebalanceDelayMilliseconds, limit)
    }

    mutating func beginRound(now: Int64) {
        for index in members.indices {
            guard let waiting = members[index].waitingSync else { continue }
            members[index].waitingSync = nil
            touch(index, now: now)
            answer(waiting, SyncGroupResponse(error: .rebalanceInProgress))
        }
        state = .preparingRebalance
        initialRoundLimit = nil
        roundDeadline = now + longestRebalanceTimeout
        completeRoundIfAllJoined(now: now)
    }

    private var longestRebalanceTimeout: Int64 { members.map(\.rebalanceTimeoutMilliseconds).max() ?? 0 }

    mutating func completeRoundIfAllJoined(now: Int64) {
        guard state == .preparingRebalance else { return }
        if members.isEmpty && pendingMembers.isEmpty { return completeRound(now: now) }
        guard initialRoundLimit == nil, pendingMembers.isEmpty,
            members.allSatisfy({ $0.waitingJoin != nil })
        else { return }
        completeRound(now: now)
    }

    /// Answers all who joined with the next generation. Dynamic members that did not rejoin are out; static ones keep their
    /// place until their session ends.
    mutating func completeRound(now: Int64) {
        initialRoundLimit = nil
        members.removeAll { $0.waitingJoin == nil && $0.instanceID == nil }
        guard !members.isEmpty else {
            state = .empty
            needsStoring = true
            generation &+= 1
            protocolName = nil
            leaderID = nil
            roundDeadline = nil
            return
        }
        guard let firstJoined = members.first(where: { $0.waitingJoin != nil }) else {
            roundDeadline = now + longestRebalanceTimeout
            return
        }
        let leader = leaderID.flatMap { index(of: $0) }.map { members[$0] }
        if leader?.waitingJoin == nil { leaderID = firstJoined.id }
        generation = generation == .max ? 1 : generation + 1
        protocolName = selectProtocol()
        state = .completingRebalance
        roundDeadline = now + longestRebalanceTimeout
        for index in members.indices {
            guard let waiting = members[index].waitingJoin else { continue }
            members[index].waitingJoin = nil
            touch(index, now: now)
            answer(waiting, joinResponse(members[index]))
        }
    }

    private func joinResponse(_ member: Member) -> JoinGroupResponse {
        let name = protocolName ?? ""
        let known =
            member.id == leaderID
            ? members.map {
                JoinGroupResponse.Member(
                    memberID: $0.id, instanceID: $0.instanceID, metadata: $0.metadata(for: name))
            } : []
        return JoinGroupResponse(
            generation: generation, protocolType: protocolType, protocolName: protocolName, leader: leaderID ?? "",
            memberID: member.id, members: known)
    }

    /// The protocol most members prefer among those that all of them know.
    private func selectProtocol() -> String? {
        guard let first = members.first else { return nil }
        let candidates = first.protocols.map(\.name).filter { name in
            members.allSatisfy { $0.protocols.contains { $0.name == name } }
        }
        var votes = [Int](repeating: 0, count: candidates.count)
        for member in members {
            let choice = member.protocols.lazy.compactMap { candidates.firstIndex(of: $0.name) }.first
            if let choice { votes[choice] += 1 }
        }
        guard let most = votes.max(), let winner = votes.firstIndex(of: most) else { return nil }
        return candidates[winner]
    }
}
