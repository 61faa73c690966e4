/// Hashes for identifiers: `sha256` in hexadecimal, `hash64` (XXH64 with seed 0) as a uint.
extension FunctionLibrary {
    static func addHashes(_ group: inout FunctionGroup) {
        group.unary("sha256(string) -> string", "sha256(bytes) -> string") { (value, context) throws(EvaluationError) in
            let bytes = try hashed(value, "sha256", context)
            return .string(Text(hexadecimal(SHA256.hash(bytes))))
        }
        group.unary("hash64(string) -> uint", "hash64(bytes) -> uint") { (value, context) throws(EvaluationError) in
            .uint(XXH64.hash(try hashed(value, "hash64", context)))
        }
    }

    private static func hashed(
        _ value: Value, _ name: String, _ context: EvaluationContext
    ) throws(EvaluationError) -> [UInt8] {
        let bytes: [UInt8]
        switch value {
        case .string(let text): bytes = text.utf8
        case .bytes(let given): bytes = given
        default: throw .noSuchOverload(name, value)
        }
        try context.charge(bytes: bytes.count * 5)
        return bytes
    }
}

/// FIPS 180-4.
enum SHA256 {
    private static let constants: [UInt32] = {
        // The first 32 bits of the fractions of the cube roots of the first 64 primes.
        primes(64).map { fraction(ofRoot: 3, of: $0) }
    }()
    private static let initial: [UInt32] = primes(8).map { fraction(ofRoot: 2, of: $0) }

    private static func primes(_ count: Int) -> [UInt64] {
        var found: [UInt64] = []
        var candidate: UInt64 = 2
        while found.count < count {
            if found.allSatisfy({ candidate % $0 != 0 }) { found.append(candidate) }
            candidate += 1
        }
        return found
    }

    /// The first 32 bits behind the point of a square or cube root, by bisection in integers.
    private static func fraction(ofRoot degree: Int, of number: UInt64) -> UInt32 {
        var low: UInt128 = 0
        var high: UInt128 = 1 << 40
        while high - low > 1 {
            let middle = (low + high) / 2
            let power = degree == 2 ? middle * middle : middle * middle * middle
            if power <= UInt128(number) << UInt128(32 * degree) { low = middle } else { high = middle }
        }
        return UInt32(truncatingIfNeeded: low)
    }

    static func hash(_ message: [UInt8]) -> [UInt8] {
        var padded = message
        padded.reserveCapacity(message.count + 72)
        padded.append(0x80)
        while padded.count % 64 != 56 { padded.append(0) }
        let bits = UInt64(message.count) &* 8
        for shift in stride(from: 56, through: 0, by: -8) {
            padded.append(UInt8(truncatingIfNeeded: bits >> UInt64(shift)))
        }
        var state = initial
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 64) { schedule in
            constants.withUnsafeBufferPointer { constants in
                padded.withUnsafeBytes { padded in
                    for start in stride(from: 0, to: padded.count, by: 64) {
                        for word in 0..<16 {
                            let bytes = padded.loadUnaligned(fromByteOffset: start &+ word &* 4, as: UInt32.self)
                            schedule[word] = UInt32(bigEndian: bytes)
                        }
                        compress(schedule, constants, into: &state)
                    }
                }
            }
        }
        var hash: [UInt8] = []
        hash.reserveCapacity(32)
        for word in state {
            for shift in stride(from: 24, through: 0, by: -8) {
                hash.append(UInt8(truncatingIfNeeded: word >> UInt32(shift)))
            }
        }
        return hash
    }

    private static func compress(
        _ schedule: UnsafeMutableBufferPointer<UInt32>, _ constants: UnsafeBufferPointer<UInt32>,
        into state: inout [UInt32]
    ) {
        for word in 16..<64 {
            let (a, b) = (schedule[word &- 15], schedule[word &- 2])
            let first = rotate(a, 7) ^ rotate(a, 18) ^ (a >> 3)
            let second = rotate(b, 17) ^ rotate(b, 19) ^ (b >> 10)
            schedule[word] = schedule[word &- 16] &+ first &+ schedule[word &- 7] &+ second
        }
        var (a, b, c, d) = (state[0], state[1], state[2], state[3])
        var (e, f, g, h) = (state[4], state[5], state[6], state[7])
        for round in 0..<64 {
            let choice = (e & f) ^ (~e & g)
            let majority = (a & b) ^ (a & c) ^ (b & c)
            let first =
                h &+ (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) &+ choice &+ constants[round] &+ schedule[round]
            let second = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) &+ majority
            (h, g, f, e, d, c, b, a) = (g, f, e, d &+ first, c, b, a, first &+ second)
        }
        for (index, value) in [a, b, c, d, e, f, g, h].enumerated() { state[index] &+= value }
    }

    @inline(__always)
    private static func rotate(_ value: UInt32, _ count: UInt32) -> UInt32 { value &>> count | value &<< (32 &- count) }
}

/// xxHash, 64 bits: fast and well spread, not for secrets.
enum XXH64 {
    private static let primes: [UInt64] = [
        0x9E37_79B1_85EB_CA87, 0xC2B2_AE3D_27D4_EB4F, 0x1656_67B1_9E37_79F9, 0x85EB_CA77_C2B2_AE63,
        0x27D4_EB2F_1656_67C5,
    ]

    static func hash(_ bytes: [UInt8]) -> UInt64 {
        var position = 0
        var hash: UInt64
        if bytes.count >= 32 {
            var lanes = [primes[0] &+ primes[1], primes[1], 0, 0 &- primes[0]]
            while position + 32 <= bytes.count {
                for lane in 0..<4 { lanes[lane] = round(lanes[lane], word(bytes, position + lane * 8, 8)) }
                position += 32
            }
            hash = rotate(lanes[0], 1) &+ rotate(lanes[1], 7) &+ rotate(lanes[2], 12) &+ rotate(lanes[3], 18)
            for lane in lanes { hash = (hash ^ round(0, lane)) &* primes[0] &+ primes[3] }
        } else {
            hash = primes[4]
        }
        hash &+= UInt64(bytes.count)
        while position + 8 <= bytes.count {
            hash = rotate(hash ^ round(0, word(bytes, position, 8)), 27) &* primes[0] &+ primes[3]
            position += 8
        }
        if position + 4 <= bytes.count {
            hash = rotate(hash ^ word(bytes, position, 4) &* primes[0], 23) &* primes[1] &+ primes[2]
            position += 4
        }
        for byte in bytes[position...] { hash = rotate(hash ^ UInt64(byte) &* primes[4], 11) &* primes[0] }
        hash = (hash ^ (hash >> 33)) &* primes[1]
        hash = (hash ^ (hash >> 29)) &* primes[2]
        return hash ^ (hash >> 32)
    }

    private static func round(_ lane: UInt64, _ input: UInt64) -> UInt64 {
        rotate(lane &+ input &* primes[1], 31) &* primes[0]
    }

    private static func word(_ bytes: [UInt8], _ position: Int, _ size: Int) -> UInt64 {
        bytes[position..<position + size].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func rotate(_ value: UInt64, _ count: UInt64) -> UInt64 { value << count | value >> (64 - count) }
}
