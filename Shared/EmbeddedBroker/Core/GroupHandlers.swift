/// Membership of groups, and what administrators see of them.
extension BrokerCore {
    /// Hands an event to a group, gives the answers that follow from it and sets its timer.
    private func update<Outcome>(_ group: inout Group, _ event: (inout Group) -> Outcome) -> Outcome {
        let outcome = event(&group)
        if group.needsStoring {
            do throws(StorageError) {
                try commit(.groupChanged(group.record))
                group.needsStoring = false
            } catch {
                // The next event of the group tries again; until then a restart would know its former members.
                reportError("group \(group.id) could not be stored: \(error)")
            }
        }
        for action in group.takeActions() {
            switch action {
            case .answerJoin(let reply, let response): answer(reply, response)
            case .answerSync(let reply, let response): answer(reply, response)
            }
        }
        if let deadline = group.nextDeadline, groupTimers[group.id].map({ deadline < $0 }) ?? true {
            groupTimers[group.id] = deadline
            timers.schedule(.group(group.id), at: deadline)
        }
        return outcome
    }

    private func update<Outcome>(existing id: String, _ event: (inout Group) -> Outcome) -> Outcome? {
        guard var group = groups.removeValue(forKey: id) else { return nil }
        defer { groups[id] = group }
        return update(&group, event)
    }

    /// After a restart members go on as if nothing had happened.
    func restoreGroups() {
        for (id, record) in state.groups.sorted(by: { $0.key < $1.key }) {
            groups[id] = Group(restoring: record, now: now.steadyMilliseconds)
            _ = update(existing: id) { _ in () }
        }
    }

    func tickGroup(_ id: String) {
        groupTimers[id] = nil
        let now = now.steadyMilliseconds
        _ = update(existing: id) { $0.tick(now: now) }
    }

    func handleJoinGroup(_ request: JoinGroupRequest, _ context: RequestContext) {
        guard !request.groupID.isEmpty else {
            return answer(context.reply, JoinGroupResponse(error: .invalidGroupID, memberID: request.memberID))
        }
        if groups[request.groupID] == nil {
            // A member that names an id it had before a restart must begin anew.
            guard request.memberID.isEmpty else {
                return answer(context.reply, JoinGroupResponse(error: .unknownMemberID, memberID: request.memberID))
            }
            groups[request.groupID] = Group(id: request.groupID)
        }
        let join = Group.JoinContext(
            reply: context.reply, clientID: context.clientID ?? "", clientHost: context.clientHost,
            newMemberID: newMemberID(request.instanceID ?? context.clientID), now: now.steadyMilliseconds)
        let limits = GroupLimits(
            minimumSessionTimeoutMilliseconds: configuration.minimumSessionTimeoutMilliseconds,
            maximumSessionTimeoutMilliseconds: configuration.maximumSessionTimeoutMilliseconds,
            initialRebalanceDelayMilliseconds: configuration.initialRebalanceDelayMilliseconds)
        _ = update(existing: request.groupID) { $0.join(request, join, limits: limits) }
    }

    func handleSyncGroup(_ request: SyncGroupRequest, _ context: RequestContext) {
        let now = now.steadyMilliseconds
        let found: Void? = update(existing: request.groupID) { $0.sync(request, reply: context.reply, now: now) }
        if found == nil { answer(context.reply, SyncGroupResponse(error: .unknownMemberID)) }
    }

    func handleHeartbeat(_ request: HeartbeatRequest, _ context: RequestContext) -> ErrorResponse {
        let now = now.steadyMilliseconds
        let error = update(existing: request.groupID) { $0.heartbeat(request.identity, now: now) }
        return ErrorResponse(error: error ?? .unknownMemberID, throttleSince: 1)
    }

    func handleLeaveGroup(_ request: LeaveGroupRequest, _ context: RequestContext) -> LeaveGroupResponse {
        let now = now.steadyMilliseconds
        let left = update(existing: request.groupID) { group in
            request.members.map { (member: $0, error: group.leave($0, now: now)) }
        }
        return LeaveGroupResponse(members: left ?? request.members.map { ($0, .unknownMemberID) })
    }

    /// Whether the group takes offsets from `identity`; a group that only commits need not exist before.
    func groupError(
        committing identity: MemberIdentity, to groupID: String, inTransaction: Bool
    ) -> ErrorCode {
        let now = now.steadyMilliseconds
        if let error = update(
            existing: groupID, { $0.acceptsOffsets(from: identity, inTransaction: inTransaction, now: now) })
        {
            return error
        }
        if identity.generation < 0 { return .none }
        // A group that has only ever committed exists and has no members; one that has not even done that does not exist.
        return state.offsets[groupID] != nil ? .unknownMemberID : .illegalGeneration
    }

    // MARK: - Administration

    private func groupState(_ id: String) -> Group.State? {
        groups[id]?.state ?? (state.offsets[id] == nil ? nil : .empty)
    }

    private var groupIDs: [String] { Set(groups.keys).union(state.offsets.keys).sorted() }

    func handleListGroups(_ request: ListGroupsRequest, _ context: RequestContext) -> ListGroupsResponse {
        let wanted = Set(request.states.map { $0.lowercased() })
        return ListGroupsResponse(
            groups: groupIDs.compactMap { id in
                guard let state = groupState(id), wanted.isEmpty || wanted.contains(state.rawValue.lowercased())
                else { return nil }
                return (id, groups[id]?.protocolType ?? "", state.rawValue)
            })
    }

    func handleDescribeGroups(_ request: DescribeGroupsRequest, _ context: RequestContext) -> DescribeGroupsResponse {
        DescribeGroupsResponse(
            groups: request.groupIDs.distinct(by: \.self).map { id in
                guard let group = groups[id] else {
                    return DescribeGroupsResponse.Description(groupID: id, state: groupState(id)?.rawValue ?? "Dead")
                }
                let protocolName = group.state == .stable ? group.protocolName ?? "" : ""
                return DescribeGroupsResponse.Description(
                    groupID: id, state: group.state.rawValue, protocolType: group.protocolType ?? "",
                    protocolName: protocolName,
                    members: group.members.map { member in
                        DescribeGroupsResponse.Member(
                            memberID: member.id, instanceID: member.instanceID, clientID: member.clientID,
                            clientHost: member.clientHost,
                            metadata: group.state == .stable ? member.metadata(for: protocolName) : [],
                            assignment: group.state == .stable ? member.assignment : [])
                    })
            })
    }

    func handleDeleteGroups(_ request: DeleteGroupsRequest, _ context: RequestContext) -> DeleteGroupsResponse {
        DeleteGroupsResponse(groups: request.groupIDs.map { ($0, deleteGroup($0)) })
    }

    private func deleteGroup(_ id: String) -> ErrorCode {
        guard groupState(id) != nil else { return .groupIDNotFound }
        if let group = groups[id], group.hasMembers || !group.pendingMembers.isEmpty { return .nonEmptyGroup }
        do throws(StorageError) {
            try commit(.groupDeleted(group: id))
        } catch {
            return .storageError
        }
        groups[id] = nil
        return .none
    }
}
