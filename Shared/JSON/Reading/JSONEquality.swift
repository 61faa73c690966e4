/// Equality of values as JSON Schema defines it: numbers by value, strings by their decoded text, objects in any order.
extension JSONValue {
    /// The number of any size behind the value; nil for other kinds.
    public var number: NumberText? {
        kind == .number ? NumberText(bytes) : nil
    }

    /// Whether both are the same value: numbers by what they are worth, objects whatever their order.
    public func isEqual(to other: JSONValue) -> Bool {
        guard kind == other.kind else { return false }
        switch kind {
        case .null, .true, .false:
            return true
        case .number:
            return number == other.number
        case .string:
            return string == other.string
        case .array:
            var others = other.elements
            for element in elements {
                guard let counterpart = others.next(), element.isEqual(to: counterpart) else { return false }
            }
            return others.next() == nil
        case .object:
            return isEqualObject(other)
        }
    }

    private func isEqualObject(_ other: JSONValue) -> Bool {
        let count = count
        guard count == other.count else { return false }
        // The same order, as a rule.
        var others = other.members
        var sameOrder = 0
        for (key, value) in members {
            guard let (otherKey, otherValue) = others.next(), key == otherKey else { break }
            guard value.isEqual(to: otherValue) else { return false }
            sameOrder += 1
        }
        if sameOrder == count { return true }
        // Sorted rather than searched for each key: large objects come from anyone.
        let sorted = sortedMembers
        let otherSorted = other.sortedMembers
        for (left, right) in zip(sorted, otherSorted) {
            guard left.key == right.key, left.value.isEqual(to: right.value) else { return false }
        }
        return true
    }

    /// The members by the bytes of their decoded keys.
    private var sortedMembers: [(key: [UInt8], value: JSONValue)] {
        members.map { member in
            var decoded = JSONString.DecodedBytes(member.key)
            var key: [UInt8] = []
            key.reserveCapacity(member.key.rawBytes.count)
            while let byte = decoded.next() { key.append(byte) }
            return (key, member.value)
        }.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    }

    /// A hash that equal values share: seeded per process, as `Hasher` is.
    public var equalityHash: Int {
        var hasher = Hasher()
        combine(into: &hasher)
        return hasher.finalize()
    }

    private func combine(into hasher: inout Hasher) {
        hasher.combine(kind)
        switch kind {
        case .null, .true, .false: break
        case .number: hasher.combine(number)
        case .string:
            if let string { JSONValue.combine(string, into: &hasher) }
        case .array:
            for element in elements { element.combine(into: &hasher) }
        case .object:
            // Order is no part of an object: its members' hashes are summed.
            var sum = 0
            for (key, value) in members {
                var member = Hasher()
                JSONValue.combine(key, into: &member)
                value.combine(into: &member)
                sum &+= member.finalize()
            }
            hasher.combine(sum)
        }
    }

    private static func combine(_ string: JSONString, into hasher: inout Hasher) {
        if let utf8 = string.utf8 {
            hasher.combine(bytes: utf8)
        } else {
            let decoded = OutputBuffer()
            decoded.append(string)
            hasher.combine(bytes: decoded.bytes)
        }
    }
}
