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
        return TextSlice(base + start, end &- start, isPlain: isPlain)
    }

    /// The same for separators of one byte that is not zero, found by eight bytes at a time.
    @inline(__always)
    func part(_ number: Int, separatedBy byte: UInt8) -> TextSlice? {
        let pattern = UInt64(byte) &* 0x0101_0101_0101_0101
        var (left, start, position) = (number, 0, 0)
        while position < count {
            let difference = word(at: position) ^ pattern
            // The highest bit of each byte that is zero.
            let others = (difference & 0x7F7F_7F7F_7F7F_7F7F) &+ 0x7F7F_7F7F_7F7F_7F7F | difference
            var hits = ~(others | 0x7F7F_7F7F_7F7F_7F7F)
            while hits != 0 {
                let end = position &+ hits.trailingZeroBitCount >> 3
                if left == 0 { return TextSlice(base + start, end &- start, isPlain: isPlain) }
                left &-= 1
                start = end &+ 1
                hits &= hits &- 1
            }
            position &+= 8
        }
        return left == 0 ? TextSlice(base + start, count &- start, isPlain: isPlain) : nil
    }

    /// Eight bytes from `position`, which is below ``count``, with zeros behind the text.
    @inline(__always)
    private func word(at position: Int) -> UInt64 {
        let available = count &- position
        if available >= 8 {
            return UInt64(littleEndian: base.loadUnaligned(fromByteOffset: position, as: UInt64.self))
        }
        guard count >= 8 else { return TextFingerprint(base + position, count: available).low }
        let last = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self))
        return last &>> UInt64(truncatingIfNeeded: (8 &- available) &* 8)
    }

    /// Of eight bytes, those that are letters in the case that begins with `first` in the other case.
    @inline(__always)
    private static func changingCase(_ word: UInt64, of first: UInt8) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let low = word & (ones &* 0x7F)
        let fromFirst = low &+ ones &* UInt64(0x80 &- first)
        let behindLast = low &+ ones &* UInt64(0x80 &- first &- 26)
        let letters = fromFirst & ~behindLast & ~word & (ones &* 0x80)
        return word ^ letters >> 2
    }

    /// With the letters in the case that begins with `first` in the other case.
    @inline(__always)
    func changingCase(of first: UInt8, in arena: Arena) -> TextSlice {
        if count < 8 {
            if count == 0 { return self }
            let before = word(at: 0)
            let after = TextSlice.changingCase(before, of: first)
            if before == after { return self }
            let target = arena.allocate(8)
            target.storeBytes(of: after.littleEndian, as: UInt64.self)
            return TextSlice(target, count, isPlain: isPlain)
        }
        let target = arena.allocate(count)
        var position = 0
        while true {
            let word = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: position, as: UInt64.self))
            let changed = TextSlice.changingCase(word, of: first)
            target.storeBytes(of: changed.littleEndian, toByteOffset: position, as: UInt64.self)
            if position &+ 8 >= count { return TextSlice(target, count, isPlain: isPlain) }
            // The last word overlaps the one before it.
            position = min(position &+ 8, count &- 8)
        }
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
        // Eight of ASCII at a time: pairs of bytes, then all of them by one multiplication. Zeros behind the text add nothing.
        while index < count {
            let word = word(at: index)
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
        return TextSlice(target, a.count + b.count, isPlain: a.isPlain && b.isPlain)
    }

    func joined(_ a: TextSlice, _ b: TextSlice, _ c: TextSlice) -> TextSlice {
        let count = a.count + b.count + c.count
        let target = allocate(count)
        ShortCopy.copy(a.base, to: target, count: a.count)
        ShortCopy.copy(b.base, to: (target + a.count), count: b.count)
        ShortCopy.copy(c.base, to: (target + (a.count + b.count)), count: c.count)
        return TextSlice(target, count, isPlain: a.isPlain && b.isPlain && c.isPlain)
    }

    func joined(_ a: TextSlice, _ b: TextSlice, _ c: TextSlice, _ d: TextSlice) -> TextSlice {
        let count = a.count + b.count + c.count + d.count
        let target = allocate(count)
        ShortCopy.copy(a.base, to: target, count: a.count)
        ShortCopy.copy(b.base, to: (target + a.count), count: b.count)
        let end = target + (a.count + b.count)
        ShortCopy.copy(c.base, to: end, count: c.count)
        ShortCopy.copy(d.base, to: (end + c.count), count: d.count)
        return TextSlice(target, count, isPlain: a.isPlain && b.isPlain && c.isPlain && d.isPlain)
    }

    @inline(__always)
    func decimalDigits(of value: Int64) -> TextSlice {
        let room = allocate(20)
        let buffer = UnsafeMutableRawBufferPointer(start: room, count: 20)
        return TextSlice(room, Digits.write(value, into: buffer), isPlain: true)
    }

    /// A number from 0 to 99,999,999 with zeros before it up to a width of eight at most.
    @inline(__always)
    func paddedDigits(of value: UInt64, width: Int) -> TextSlice {
        let room = allocate(8)
        return TextSlice(room, Digits.write(short: value, width: width, to: room), isPlain: true)
    }
}
