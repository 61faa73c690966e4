internal import JSON

/// Schemas that are applied to the same value, and the members and elements that none of them evaluated.
extension Evaluation {
    func evaluateApplicators(
        _ rules: UnsafeMutablePointer<ApplicatorRules>, _ node: NodePointer, _ value: JSONValue, tracking: Bool
    ) -> Bool {
        applicatorDepth &+= 1
        defer { applicatorDepth &-= 1 }
        guard applicatorDepth <= Evaluation.maximumApplicatorDepth else {
            return report(
                node, "$ref", value, "\(name(value)): the schema applies itself to the same value without end") && false
        }
        var isValid = true
        if let reference = rules.pointee.reference, !evaluate(reference, value, tracking: tracking) {
            isValid = false
            if stopsAtFailure { return false }
        }
        if let target = dynamicTarget(rules), !evaluate(target, value, tracking: tracking) {
            isValid = false
            if stopsAtFailure { return false }
        }
        if let all = rules.pointee.all {
            for index in 0..<all.count where !evaluate(all.start[index], value, tracking: tracking) {
                isValid = false
                if stopsAtFailure { return false }
            }
        }
        if !evaluateBranches(rules, node, value, tracking: tracking) { isValid = false }
        if !isValid, stopsAtFailure { return false }
        if let condition = rules.pointee.condition {
            let holds = tries(condition, value, tracking: tracking)
            let branch = holds ? rules.pointee.consequence : rules.pointee.alternative
            if let branch, !evaluate(branch, value, tracking: tracking) {
                isValid = false
                if stopsAtFailure { return false }
            }
        }
        if let dependencies = rules.pointee.dependencies, let first = dependencies.baseAddress, value.kind == .object {
            for index in 0..<dependencies.count {
                let dependency = first + index
                if value.member(utf8: dependency.pointee.name) == nil { continue }
                if !evaluateDependency(dependency, node, value, tracking: tracking) {
                    isValid = false
                    if stopsAtFailure { return false }
                }
            }
        }
        return isValid
    }

    /// `anyOf`, `oneOf`, `not`.
    private func evaluateBranches(
        _ rules: UnsafeMutablePointer<ApplicatorRules>, _ node: NodePointer, _ value: JSONValue, tracking: Bool
    ) -> Bool {
        var isValid = true
        if let any = rules.pointee.any {
            var matches = false
            for index in 0..<any.count where tries(any.start[index], value, tracking: tracking) {
                matches = true
                // All that match say what was evaluated.
                if !tracking { break }
            }
            if !matches {
                isValid = false
                guard report(node, "anyOf", value, noMatch(any, value)) else { return false }
            }
        }
        if let one = rules.pointee.one {
            var first: Int?
            var second: Int?
            var index = 0
            while index < one.count, second == nil {
                if tries(one.start[index], value, tracking: tracking) {
                    if first == nil { first = index } else { second = index }
                }
                index &+= 1
            }
            if first == nil {
                isValid = false
                guard report(node, "oneOf", value, noMatch(one, value)) else { return false }
            } else if let first, let second {
                isValid = false
                let both = "number \(first + 1) and number \(second + 1)"
                let message = "\(name(value)) matches more than one of the \(one.count) alternatives: \(both)"
                guard report(node, "oneOf", value, message) else { return false }
            }
        }
        if let not = rules.pointee.not {
            let firstMark = marks.count
            let matches = tries(not, value, tracking: false)
            marks.truncate(to: firstMark)
            if matches {
                isValid = false
                guard report(node, "not", value, "\(name(value)) is what it must not be") else { return false }
            }
        }
        return isValid
    }

    /// That a value matches none of its alternatives, and why not each of the first ones.
    private func noMatch(_ branches: NodeList, _ value: JSONValue) -> String {
        let summary = "\(name(value)) matches none of the \(branches.count) alternatives"
        if isExplaining { return summary }
        var reasons: [String] = []
        for index in 0..<min(branches.count, Message.maximumAlternatives) {
            let violations = explanation(branches.start[index], value, atMost: Message.maximumReasons)
            if violations.isEmpty { continue }
            reasons.append("(\(index + 1)) " + violations.map(\.message).joined(separator: ", "))
        }
        if branches.count > Message.maximumAlternatives { reasons.append("…") }
        return summary + ": " + reasons.joined(separator: "; ")
    }

    /// Applies a schema without reporting; what a refusing one evaluated does not count.
    private func tries(_ node: NodePointer, _ value: JSONValue, tracking: Bool) -> Bool {
        let wasCollecting = isCollecting
        isCollecting = false
        let firstMark = marks.count
        let matches = evaluate(node, value, tracking: tracking)
        if !matches { marks.truncate(to: firstMark) }
        isCollecting = wasCollecting
        return matches
    }

    private func evaluateDependency(
        _ dependency: UnsafeMutablePointer<ApplicatorRules.Dependency>, _ node: NodePointer, _ value: JSONValue,
        tracking: Bool
    ) -> Bool {
        var isValid = true
        if let required = dependency.pointee.required {
            for name in required where value.member(utf8: name) == nil {
                isValid = false
                let cause = String(decoding: dependency.pointee.name, as: UTF8.self)
                guard
                    report(
                        node, "dependentRequired", value,
                        Message.missing(name, JSONPointer.pointer(to: value, from: root)) + " where \(cause) is given")
                else { return false }
            }
        }
        if let schema = dependency.pointee.node, !evaluate(schema, value, tracking: tracking) { isValid = false }
        return isValid
    }

    /// Where a `$dynamicRef` leads: the outermost resource on the way that has the anchor decides.
    private func dynamicTarget(_ rules: UnsafeMutablePointer<ApplicatorRules>) -> NodePointer? {
        if let candidates = rules.pointee.dynamicReference {
            for position in 0..<scope.count {
                if let candidate = candidates[Int(scope[position])] { return candidate }
            }
        }
        return rules.pointee.dynamicFallback
    }

    // MARK: Unevaluated

    /// Applies `unevaluatedProperties` and `unevaluatedItems` to what has no mark since `firstMark`.
    func evaluateUnevaluated(_ node: NodePointer, _ value: JSONValue, from firstMark: Int) -> Bool {
        marks.sort(from: firstMark)
        let end = marks.count
        var isValid = true
        if let rule = node.pointee.unevaluatedProperties, value.kind == .object {
            for (_, member) in value.members where !marks.contains(member.offset, from: firstMark, to: end) {
                if !evaluateRest(rule, "unevaluatedProperties", "field", node, member) {
                    isValid = false
                    if stopsAtFailure { return false }
                }
            }
        }
        if let rule = node.pointee.unevaluatedItems, value.kind == .array {
            for element in value.elements where !marks.contains(element.offset, from: firstMark, to: end) {
                if !evaluateRest(rule, "unevaluatedItems", "element", node, element) {
                    isValid = false
                    if stopsAtFailure { return false }
                }
            }
        }
        return isValid
    }

    private func evaluateRest(
        _ rule: NodePointer, _ keyword: StaticString, _ what: String, _ node: NodePointer, _ part: JSONValue
    ) -> Bool {
        if rule.pointee.refusesAll {
            return report(node, keyword, part, "\(name(part)) is not a \(what) that the schema knows") && false
        }
        return evaluateChild(rule, part, tracking: true)
    }
}
