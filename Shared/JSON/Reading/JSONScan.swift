internal import Glibc

/// The one pass over a text: its grammar, and the nodes of what it holds.
extension JSONRecord {
    @inline(__always)
    private func append(_ node: JSONNode) {
        nodes[nodeCount] = node
        nodeCount &+= 1
    }

    /// The top-level object: keys are recognised by the one expected, values of the commonest kinds are scanned in place.
    ///
    /// The state that changes with every field is kept in locals; what is called may change it only between the two lines that
    /// hand it over.
    func scanRecord(_ text: JSONText, at start: Int) throws(JSONError) -> Int {
        if maximumDepth < 1 { throw JSONError(.tooDeep(limit: maximumDepth), at: start) }
        let nodes = nodes
        let generation = generation
        var node = 1
        nodes[0] = JSONNode(.object, start, start)
        nodeCount = 1
        var position = text.skipWhitespace(from: start &+ 1)
        if text.byte(at: position) == UInt8(ascii: "}") { return close(0, at: position) }
        var keys = self.keys.keys
        var previous = keys
        var filter: UInt64 = 0
        while true {
            let usual = scanUsualMembers(text, at: position, firstNode: node, after: previous)
            (position, node, previous) = (usual.position, usual.node, usual.previous)
            if usual.isAtEnd {
                nodeCount = node
                try settleDuplicates(text, from: 0)
                return close(0, at: position)
            }
            // After a comma it steps over one space at most.
            if position < text.count, text[position] <= 0x20 { position = text.skipWhitespace(from: position) }
            guard position < text.count, text[position] == UInt8(ascii: "\"") else {
                throw text.unexpected(node == 1 ? .keyOrEnd : .key, at: position)
            }
            // The key, the likeliest first.
            let keyNode = node
            var key = keys + Int(previous.pointee.next)
            if KeyTable.matches(key, text, at: position &+ 1) {
                let end = position &+ Int(key.pointee.count) &+ 2
                nodes[node] = JSONNode(.string, position, end)
                position = end
            } else {
                nodeCount = node
                let found = try scanUnexpectedKey(text, at: position, after: previous - keys, filter: &filter)
                keys = self.keys.keys
                key = keys + found.key
                position = found.end
            }
            node &+= 1
            if key != keys {
                if key.pointee.generation == generation {
                    try duplicate(text, earlier: Int(key.pointee.node) &- 1, later: keyNode)
                }
                key.pointee.generation = generation
                key.pointee.node = UInt32(truncatingIfNeeded: node)
                previous = key
            }
            position = try skipColon(text, at: position)
            // The value.
            guard position < text.count else { throw text.unexpected(.value, at: position) }
            let first = text[position]
            if first == UInt8(ascii: "\"") {
                var flags: JSONFlags = []
                let end = try text.string(from: position &+ 1, flags: &flags) &+ 1
                nodes[node] = JSONNode(.string, position, end, flags: flags)
                position = end
                node &+= 1
            } else if first &- 0x30 <= 9 {
                var flags: JSONFlags = []
                let end = try text.number(from: position, flags: &flags)
                nodes[node] = JSONNode(.number, position, end, flags: flags)
                position = end
                node &+= 1
            } else {
                nodeCount = node
                position = try scanValue(text, at: position, depth: 1)
                node = nodeCount
            }
            // What follows it.
            guard position < text.count else { throw text.unexpected(.commaOrBrace, at: position) }
            if text[position] != UInt8(ascii: ",") {
                position = text.skipWhitespace(from: position)
                if text.byte(at: position) == UInt8(ascii: "}") {
                    nodeCount = node
                    try settleDuplicates(text, from: 0)
                    return close(0, at: position)
                }
                guard text.byte(at: position) == UInt8(ascii: ",") else {
                    throw text.unexpected(.commaOrBrace, at: position)
                }
            }
            position &+= 1
            if position < text.count, text[position] <= 0x20 { position = text.skipWhitespace(from: position) }
        }
    }

    /// A key other than the one expected: found by its hash, learned, or merely noted. It becomes the expected one.
    @inline(never)
    private func scanUnexpectedKey(
        _ text: JSONText, at start: Int, after previous: Int, filter: inout UInt64
    ) throws(JSONError) -> (key: Int, end: Int) {
        let keyNode = nodeCount
        var flags: JSONFlags = []
        let end = try text.string(from: start &+ 1, flags: &flags) &+ 1
        nodes[keyNode] = JSONNode(.string, start, end, flags: flags)
        let content = decodedKey(text, node: keyNode)
        var key = keys.find(content.base, count: content.count)
        if key == nil { key = keys.learn(content.base, count: content.count) }
        guard let key else {
            let hash = KeyHash.hash(content.base, count: content.count, seed: KeyHash.seed)
            try noteKey(text, hash, node: keyNode, start: 0, filter: &filter)
            return (KeyTable.none, end)
        }
        keys.keys[previous].next = UInt32(truncatingIfNeeded: key)
        return (key, end)
    }

    /// Any value, at `depth` levels of nesting; answers its end.
    func scanValue(_ text: JSONText, at position: Int, depth: Int) throws(JSONError) -> Int {
        guard position < text.count else { throw text.unexpected(.value, at: position) }
        var flags: JSONFlags = []
        switch text[position] {
        case UInt8(ascii: "\""):
            let end = try text.string(from: position &+ 1, flags: &flags) &+ 1
            append(JSONNode(.string, position, end, flags: flags))
            return end
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            let end = try text.number(from: position, flags: &flags)
            append(JSONNode(.number, position, end, flags: flags))
            return end
        case UInt8(ascii: "{"):
            return try scanObject(text, at: position, depth: depth &+ 1)
        case UInt8(ascii: "["):
            return try scanArray(text, at: position, depth: depth &+ 1)
        case UInt8(ascii: "t"):
            return try scanLiteral("true", .true, text, at: position)
        case UInt8(ascii: "f"):
            return try scanLiteral("false", .false, text, at: position)
        case UInt8(ascii: "n"):
            return try scanLiteral("null", .null, text, at: position)
        default:
            throw text.unexpected(.value, at: position)
        }
    }

    private func scanLiteral(
        _ literal: StaticString, _ kind: JSONKind, _ text: JSONText, at position: Int
    ) throws(JSONError) -> Int {
        let length = literal.utf8CodeUnitCount
        guard position &+ length <= text.count, memcmp(text.base + position, literal.utf8Start, length) == 0 else {
            throw text.unexpected(.value, at: position)
        }
        append(JSONNode(kind, position, position &+ length))
        return position &+ length
    }

    private func scanArray(_ text: JSONText, at start: Int, depth: Int) throws(JSONError) -> Int {
        if depth > maximumDepth { throw JSONError(.tooDeep(limit: maximumDepth), at: start) }
        let array = nodeCount
        append(JSONNode(.array, start, start))
        var position = text.skipWhitespace(from: start &+ 1)
        if text.byte(at: position) == UInt8(ascii: "]") { return close(array, at: position) }
        while true {
            position = text.skipWhitespace(from: try scanValue(text, at: position, depth: depth))
            switch text.byte(at: position) {
            case UInt8(ascii: ","): position = text.skipWhitespace(from: position &+ 1)
            case UInt8(ascii: "]"): return close(array, at: position)
            default: throw text.unexpected(.commaOrBracket, at: position)
            }
        }
    }

    private func scanObject(_ text: JSONText, at start: Int, depth: Int) throws(JSONError) -> Int {
        if depth > maximumDepth { throw JSONError(.tooDeep(limit: maximumDepth), at: start) }
        let object = nodeCount
        append(JSONNode(.object, start, start))
        var position = text.skipWhitespace(from: start &+ 1)
        if text.byte(at: position) == UInt8(ascii: "}") { return close(object, at: position) }
        let firstMark = marks.count
        var filter: UInt64 = 0
        while true {
            guard text.byte(at: position) == UInt8(ascii: "\"") else {
                throw text.unexpected(nodeCount == object &+ 1 ? .keyOrEnd : .key, at: position)
            }
            let key = nodeCount
            var flags: JSONFlags = []
            let end = try text.string(from: position &+ 1, flags: &flags) &+ 1
            append(JSONNode(.string, position, end, flags: flags))
            let content = decodedKey(text, node: key)
            let hash = KeyHash.hash(content.base, count: content.count, seed: KeyHash.seed)
            try noteKey(text, hash, node: key, start: firstMark, filter: &filter)
            position = try skipColon(text, at: end)
            position = text.skipWhitespace(from: try scanValue(text, at: position, depth: depth))
            switch text.byte(at: position) {
            case UInt8(ascii: ","): position = text.skipWhitespace(from: position &+ 1)
            case UInt8(ascii: "}"):
                try settleDuplicates(text, from: firstMark)
                return close(object, at: position)
            default: throw text.unexpected(.commaOrBrace, at: position)
            }
        }
    }

    @inline(__always)
    private func skipColon(_ text: JSONText, at offset: Int) throws(JSONError) -> Int {
        var position = offset
        if text.byte(at: position) != UInt8(ascii: ":") {
            position = text.skipWhitespace(from: position)
            guard text.byte(at: position) == UInt8(ascii: ":") else { throw text.unexpected(.colon, at: position) }
        }
        position &+= 1
        if position < text.count, text[position] <= 0x20 { position = text.skipWhitespace(from: position) }
        return position
    }

    /// Ends the object or array whose node is `node` at its closing bracket.
    @inline(__always)
    private func close(_ node: Int, at position: Int) -> Int {
        nodes[node].end = UInt32(truncatingIfNeeded: position &+ 1)
        nodes[node].span = UInt32(truncatingIfNeeded: nodeCount &- node)
        return position &+ 1
    }

    // MARK: Duplicate keys

    private func noteKey(
        _ text: JSONText, _ hash: UInt64, node: Int, start: Int, filter: inout UInt64
    ) throws(JSONError) {
        guard let mark = marks.note(hash, node: node, start: start, filter: &filter) else { return }
        let earlier = marks.node(at: mark)
        if isSameKey(text, earlier, node) { try duplicate(text, earlier: earlier, later: node) }
    }

    /// At an object's end: looks for duplicates among many keys, and forgets them all.
    @inline(__always)
    private func settleDuplicates(_ text: JSONText, from start: Int) throws(JSONError) {
        if marks.count == start { return }
        for (earlier, later) in marks.pairs(from: start) where isSameKey(text, earlier, later) {
            try duplicate(text, earlier: earlier, later: later)
        }
        marks.truncate(to: start)
    }

    @inline(never)
    private func duplicate(_ text: JSONText, earlier: Int, later: Int) throws(JSONError) {
        switch duplicateKeys {
        case .lastWins:
            nodes[earlier].flags.insert(.superseded)
        case .refused:
            let key = decodedKey(text, node: later)
            let text = UnsafeRawBufferPointer(start: key.base, count: min(key.count, JSONRecord.longestKeyInError))
            throw JSONError(.duplicateKey(String(decoding: text, as: UTF8.self)), at: Int(nodes[later].start))
        }
    }

    private func isSameKey(_ text: JSONText, _ first: Int, _ second: Int) -> Bool {
        JSONString(text.base, nodes[first]) == JSONString(text.base, nodes[second])
    }

    /// The key's value: its text, or where that has escapes, a copy without that lasts until the next one.
    @inline(__always)
    private func decodedKey(_ text: JSONText, node: Int) -> (base: UnsafeRawPointer, count: Int) {
        let start = Int(nodes[node].start) &+ 1
        if !nodes[node].flags.contains(.escapes) { return (text.base + start, Int(nodes[node].end) &- start &- 1) }
        scratch.removeAll()
        scratch.append(JSONString(text.base, nodes[node]))
        return (UnsafeRawPointer(scratch.base), scratch.count)
    }
}
