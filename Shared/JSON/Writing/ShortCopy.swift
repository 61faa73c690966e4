/// Copies of a few bytes, made in place by words that overlap: a call of `memcpy` costs more than the copy.
public enum ShortCopy {
    @inlinable @inline(__always)
    public static func copy(_ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer, count: Int) {
        if count > 32 { return target.copyMemory(from: source, byteCount: count) }
        if count > 16 {
            move(source, target, 0, as: SIMD2<UInt64>.self)
            move(source, target, count &- 16, as: SIMD2<UInt64>.self)
        } else if count >= 8 {
            move(source, target, 0, as: UInt64.self)
            move(source, target, count &- 8, as: UInt64.self)
        } else if count >= 4 {
            move(source, target, 0, as: UInt32.self)
            move(source, target, count &- 4, as: UInt32.self)
        } else if count > 0 {
            move(source, target, 0, as: UInt8.self)
            move(source, target, count &>> 1, as: UInt8.self)
            move(source, target, count &- 1, as: UInt8.self)
        }
    }

    @inlinable @inline(__always)
    static func move<Word: BitwiseCopyable>(
        _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ offset: Int, as type: Word.Type
    ) {
        target.storeBytes(
            of: source.loadUnaligned(fromByteOffset: offset, as: type), toByteOffset: offset, as: type)
    }
}
