internal import JSON

/// Arrays and their elements.
extension Evaluation {
    func evaluateArray(
        _ rules: UnsafeMutablePointer<ArrayRules>, _ node: NodePointer, _ value: JSONValue, tracking: Bool
    ) -> Bool {
        var isValid = true
        var count = 0
        for element in value.elements {
            var rule = rules.pointee.items
            if let prefix = rules.pointee.prefix, count < prefix.count { rule = prefix.start[count] }
            if let rule, !evaluateChild(rule, element, tracking: tracking) {
                isValid = false
                if stopsAtFailure { return false }
            }
            count &+= 1
        }
        if count < rules.pointee.minimumCount {
            isValid = false
            guard
                report(
                    node, "minItems", value,
                    "\(name(value)) must have at least \(rules.pointee.minimumCount) elements, but has \(count)")
            else { return false }
        }
        if count > rules.pointee.maximumCount {
            isValid = false
            guard
                report(
                    node, "maxItems", value,
                    "\(name(value)) must have at most \(rules.pointee.maximumCount) elements, but has \(count)")
            else { return false }
        }
        if rules.pointee.isUnique, count > 1, let (first, second) = unique.duplicates(in: value, count: count) {
            isValid = false
            guard
                report(
                    node, "uniqueItems", value,
                    "\(name(value)) must not have an element twice, but \(first) and \(second) are equal")
            else { return false }
        }
        if let contains = rules.pointee.contains,
            !evaluateContains(contains, rules, node, value, tracking: tracking)
        {
            isValid = false
        }
        return isValid
    }

    private func evaluateContains(
        _ contains: NodePointer, _ rules: UnsafeMutablePointer<ArrayRules>, _ node: NodePointer, _ value: JSONValue,
        tracking: Bool
    ) -> Bool {
        let wasCollecting = isCollecting
        isCollecting = false
        var matching = 0
        for element in value.elements {
            let firstMark = marks.count
            let matches = evaluate(contains, element, tracking: false)
            marks.truncate(to: firstMark)
            if matches {
                matching &+= 1
                if tracking { marks.push(element.offset) }
            }
        }
        isCollecting = wasCollecting
        if matching < rules.pointee.minimumContained {
            let keyword: StaticString = rules.pointee.minimumContained == 1 ? "contains" : "minContains"
            return report(
                node, keyword, value,
                "\(name(value)) must have at least \(rules.pointee.minimumContained) elements as described, but has \(matching)"
            ) && false
        }
        if matching > rules.pointee.maximumContained {
            return report(
                node, "maxContains", value,
                "\(name(value)) must have at most \(rules.pointee.maximumContained) elements as described, but has \(matching)"
            ) && false
        }
        return true
    }
}

/// Looks for equal elements: all pairs of a few, by sorted hashes of many.
struct UniqueItems {
    private struct Item {
        var hash: Int
        var index: Int
        var value: JSONValue
    }

    private static let pairwiseLimit = 8

    /// Grows to the longest array seen, so that in the steady state nothing is allocated.
    private var items: UnsafeMutablePointer<Item>
    private var capacity = 64

    init() {
        items = .allocate(capacity: capacity)
    }

    func deallocate() {
        items.deallocate()
    }

    /// The places of two elements that are equal; nil where all differ.
    mutating func duplicates(in array: JSONValue, count: Int) -> (Int, Int)? {
        if count > capacity {
            items.deallocate()
            capacity = count * 2
            items = .allocate(capacity: capacity)
        }
        var filled = 0
        let hashes = count > UniqueItems.pairwiseLimit
        for element in array.elements {
            (items + filled).initialize(
                to: Item(hash: hashes ? element.equalityHash : 0, index: filled, value: element))
            filled &+= 1
        }
        var all = UnsafeMutableBufferPointer(start: items, count: filled)
        if hashes { all.sort { ($0.hash, $0.index) < ($1.hash, $1.index) } }
        for position in 0..<filled {
            var next = position &+ 1
            while next < filled, all[next].hash == all[position].hash {
                if all[position].value.isEqual(to: all[next].value) { return (all[position].index, all[next].index) }
                next &+= 1
            }
        }
        return nil
    }
}
