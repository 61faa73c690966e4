internal import JSON
internal import Patterns

/// Numbers and strings.
extension Evaluation {
    func evaluateNumber(_ rules: UnsafeMutablePointer<NumberRules>, _ node: NodePointer, _ value: JSONValue) -> Bool {
        if rules.pointee.boundsDecideIntegers, let integer = value.int64, integer >= rules.pointee.lowestInteger,
            integer <= rules.pointee.highestInteger
        {
            return true
        }
        let decimal = value.decimal
        var isValid = true
        let firstBound = rules.pointee.bounds.baseAddress
        for index in rules.pointee.bounds.indices {
            guard let bound = firstBound.map({ $0 + index }) else { break }
            if isWithin(bound, value, decimal) { continue }
            isValid = false
            guard report(node, bound.pointee.keyword, value, Message.bound(bound.pointee, of: value, name(value)))
            else { return false }
        }
        if let divisor = rules.pointee.multipleOf {
            let isMultiple = decimal?.isMultiple(of: divisor) ?? value.number?.isMultiple(of: divisor) ?? false
            if !isMultiple {
                isValid = false
                guard report(node, "multipleOf", value, Message.multiple(of: divisor, value, name(value))) else {
                    return false
                }
            }
        }
        return isValid
    }

    private func isWithin(_ bound: UnsafeMutablePointer<NumberRules.Bound>, _ value: JSONValue, _ decimal: Decimal?)
        -> Bool
    {
        let isBelow: Bool
        let isEqual: Bool
        if let decimal, let limit = bound.pointee.decimal {
            isBelow = decimal < limit
            isEqual = decimal == limit
        } else {
            guard let number = value.number else { return false }
            isBelow = number < bound.pointee.number
            isEqual = number == bound.pointee.number
        }
        if isEqual { return !bound.pointee.isExclusive }
        return isBelow != bound.pointee.isLower
    }

    func evaluateString(_ rules: UnsafeMutablePointer<StringRules>, _ node: NodePointer, _ value: JSONValue) -> Bool {
        guard let string = value.string else { return true }
        var isValid = true
        let minimum = rules.pointee.minimumLength
        let maximum = rules.pointee.maximumLength
        if minimum > 0 || maximum < .max {
            let length = string.codePointCount
            if length < minimum {
                isValid = false
                guard report(node, "minLength", value, Message.length(atLeast: minimum, length, name(value))) else {
                    return false
                }
            }
            if length > maximum {
                isValid = false
                guard report(node, "maxLength", value, Message.length(atMost: maximum, length, name(value))) else {
                    return false
                }
            }
        }
        if let pattern = rules.pointee.pattern {
            let isASCII = string.isASCII && !string.hasEscapes
            let matches = string.withUTF8(scratch: scratch) { utf8 in
                pattern._withUnsafeGuaranteedRef { $0.matches(utf8, isASCII: isASCII) }
            }
            if !matches {
                isValid = false
                let text = pattern.takeUnretainedValue().text
                guard report(node, "pattern", value, Message.pattern(text, value, name(value))) else { return false }
            }
        }
        if let format = rules.pointee.format, !string.withUTF8(scratch: scratch, { format.accepts($0) }) {
            isValid = false
            guard report(node, "format", value, Message.format(format, value, name(value))) else { return false }
        }
        return isValid
    }
}
