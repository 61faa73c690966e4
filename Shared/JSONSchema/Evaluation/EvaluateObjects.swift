internal import JSON
internal import Patterns

/// Objects and their members.
extension Evaluation {
    func evaluateObject(
        _ rules: UnsafeMutablePointer<ObjectRules>, _ node: NodePointer, _ value: JSONValue, tracking: Bool
    ) -> Bool {
        if value.offset == recordOffset, !tracking, let firstSlot = rules.pointee.firstSlot, !rules.pointee.needsMembers
        {
            return evaluateRecord(rules, node, value, slots + firstSlot)
        }
        return evaluateMembers(rules, node, value, tracking: tracking)
    }

    /// The record itself: its properties are found by slot, one after the other, in the schema's order.
    private func evaluateRecord(
        _ rules: UnsafeMutablePointer<ObjectRules>, _ node: NodePointer, _ value: JSONValue,
        _ slots: UnsafeMutablePointer<FieldSlot>
    ) -> Bool {
        var isValid = true
        var present = 0
        let properties = rules.pointee.properties
        // No properties, and nothing to point at: the range is empty then, too.
        let first = properties.baseAddress
        for index in 0..<properties.count {
            guard let property = first.map({ $0 + index }) else { break }
            if let field = record.field(slots[index]) {
                guard let child = property.pointee.node else { continue }
                present &+= 1
                if !evaluate(child, field, tracking: false) {
                    isValid = false
                    if stopsAtFailure { return false }
                }
            } else if property.pointee.isRequired {
                isValid = false
                guard reportMissing(property.pointee.name, node, value) else { return false }
            }
        }
        let additional = rules.pointee.additional
        let minimum = rules.pointee.minimumCount
        let maximum = rules.pointee.maximumCount
        if additional == nil, minimum == 0, maximum == .max { return isValid }
        let count = value.count
        if !isAllowed(count, rules, node, value) { isValid = false }
        if !isValid, stopsAtFailure { return false }
        // As many members as properties that are there: no others.
        if let additional, !additional.pointee.acceptsAll, count != present {
            for (key, member) in value.members {
                if let index = key.withUTF8(scratch: scratch, { rules.pointee.names.number($0) }),
                    properties[index].node != nil
                {
                    continue
                }
                if !evaluateAdditional(additional, node, key, member, tracking: false) {
                    isValid = false
                    if stopsAtFailure { return false }
                }
            }
        }
        return isValid
    }

    private func evaluateMembers(
        _ rules: UnsafeMutablePointer<ObjectRules>, _ node: NodePointer, _ value: JSONValue, tracking: Bool
    ) -> Bool {
        var isValid = true
        var count = 0
        var required = 0
        for (key, member) in value.members {
            count &+= 1
            var isKnown = false
            if let index = key.withUTF8(scratch: scratch, { rules.pointee.names.number($0) }) {
                let property = rules.pointee.properties[index]
                if property.isRequired { required &+= 1 }
                if let child = property.node {
                    isKnown = true
                    if !evaluateChild(child, member, tracking: tracking) { isValid = false }
                }
            }
            if let patterns = rules.pointee.patterns {
                for pattern in patterns where matches(pattern.pattern, key) {
                    isKnown = true
                    if !evaluateChild(pattern.node, member, tracking: tracking) { isValid = false }
                }
            }
            if !isKnown, let additional = rules.pointee.additional {
                if !evaluateAdditional(additional, node, key, member, tracking: tracking) { isValid = false }
            }
            if !isValid, stopsAtFailure { return false }
        }
        if let names = rules.pointee.propertyNames {
            for key in value.keys where !evaluateChild(names, key, tracking: false) {
                isValid = false
                if stopsAtFailure { return false }
            }
        }
        if required < rules.pointee.requiredCount {
            isValid = false
            for property in rules.pointee.properties
            where property.isRequired && value.member(utf8: property.name) == nil {
                guard reportMissing(property.name, node, value) else { return false }
            }
        }
        return isAllowed(count, rules, node, value) && isValid
    }

    private func evaluateAdditional(
        _ additional: NodePointer, _ node: NodePointer, _ key: JSONString, _ member: JSONValue, tracking: Bool
    ) -> Bool {
        if additional.pointee.refusesAll {
            if tracking { marks.push(member.offset) }
            return report(node, "additionalProperties", member, "\(name(member)) is not a known field") && false
        }
        return evaluateChild(additional, member, tracking: tracking)
    }

    private func isAllowed(
        _ count: Int, _ rules: UnsafeMutablePointer<ObjectRules>, _ node: NodePointer, _ value: JSONValue
    ) -> Bool {
        if count < rules.pointee.minimumCount {
            return report(
                node, "minProperties", value,
                "\(name(value)) must have at least \(rules.pointee.minimumCount) fields, but has \(count)") && false
        }
        if count > rules.pointee.maximumCount {
            return report(
                node, "maxProperties", value,
                "\(name(value)) must have at most \(rules.pointee.maximumCount) fields, but has \(count)") && false
        }
        return true
    }

    private func matches(_ pattern: Unmanaged<Pattern>, _ key: JSONString) -> Bool {
        let isASCII = key.isASCII && !key.hasEscapes
        return key.withUTF8(scratch: scratch) { utf8 in
            pattern._withUnsafeGuaranteedRef { $0.matches(utf8, isASCII: isASCII) }
        }
    }

    private func reportMissing(_ name: UnsafeRawBufferPointer, _ node: NodePointer, _ value: JSONValue) -> Bool {
        report(node, "required", value, Message.missing(name, JSONPointer.pointer(to: value, from: root)))
    }
}
