import Glibc
import JSON

/// What compiled code does with slices of text.
extension TextSlice {
    /// The first place of a text at or after `start`.
    func offset(of part: TextSlice, from start: Int) -> Int? {
        guard part.count <= count &- start else { return nil }
        guard part.count > 0 else { return start }
        let first = part[0]
        let last = count &- part.count
        var index = start
        while index <= last {
            if self[index] == first, memcmp(base + index, part.base, part.count) == 0 { return index }
            index &+= 1
        }
        return nil
    }

    /// The part with this number between separators; nil if there are not so many.
    func part(_ number: Int, separatedBy separator: TextSlice) -> TextSlice? {
        var start = 0
        for _ in 0..<number {
            guard let end = offset(of: separator, from: start) else { return nil }
            start = end &+ separator.count
        }
        let end = offset(of: separator, from: start) ?? count
        return TextSlice(base + start, end &- start)
    }

    var codePointCount: Int {
        var found = 0
        var index = 0
        while index < count {
            if self[index] & 0xC0 != 0x80 { found &+= 1 }
            index &+= 1
        }
        return found
    }

    /// The sum of all code points of valid UTF-8: a byte of n leading ones adds its bits, each further byte shifts them by six.
    var codePointSum: Int64 {
        var sum: Int64 = 0
        var scalar: Int64 = 0
        var index = 0
        // Eight of ASCII at a time: pairs of bytes, then all of them by one multiplication.
        while index &+ 8 <= count {
            let word = base.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            if word & 0x8080_8080_8080_8080 != 0 { break }
            let pairs = (word & 0x00FF_00FF_00FF_00FF) &+ (word >> 8 & 0x00FF_00FF_00FF_00FF)
            sum &+= Int64(truncatingIfNeeded: (pairs &* 0x0001_0001_0001_0001) >> 48)
            index &+= 8
        }
        while index < count {
            let byte = Int64(self[index])
            if byte < 0x80 {
                sum &+= byte
                index &+= 1
                continue
            }
            let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2
            scalar = byte & (0xFF >> (Int64(length) &+ 1))
            var next = 1
            while next < length, index &+ next < count {
                scalar = scalar << 6 | Int64(self[index &+ next] & 0x3F)
                next &+= 1
            }
            sum &+= scalar
            index &+= length
        }
        return sum
    }
}

extension Arena {
    func joined(_ a: TextSlice, _ b: TextSlice) -> TextSlice {
        let target = allocate(a.count + b.count)
        ShortCopy.copy(a.base, to: target, count: a.count)
        ShortCopy.copy(b.base, to: (target + a.count), count: b.count)
        return TextSlice(target, a.count + b.count)
    }

    func joined(_ a: TextSlice, _ b: TextSlice, _ c: TextSlice) -> TextSlice {
        let count = a.count + b.count + c.count
        let target = allocate(count)
        ShortCopy.copy(a.base, to: target, count: a.count)
        ShortCopy.copy(b.base, to: (target + a.count), count: b.count)
        ShortCopy.copy(c.base, to: (target + (a.count + b.count)), count: c.count)
        return TextSlice(target, count)
    }

    func decimalDigits(of value: Int64) -> TextSlice {
        let room = allocate(20)
        var position = 20
        var rest = value.magnitude
        repeat {
            position &-= 1
            room.storeBytes(of: UInt8(truncatingIfNeeded: rest % 10) &+ 0x30, toByteOffset: position, as: UInt8.self)
            rest /= 10
        } while rest > 0
        if value < 0 {
            position &-= 1
            room.storeBytes(of: UInt8(ascii: "-"), toByteOffset: position, as: UInt8.self)
        }
        return TextSlice(room + position, 20 - position)
    }
}
