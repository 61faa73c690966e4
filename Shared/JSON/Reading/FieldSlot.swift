/// A top-level field that was declared to a ``JSONRecord``; good for that record alone.
@frozen
public struct FieldSlot: Sendable, Hashable {
    @usableFromInline let key: Int
}

/// What becomes of an object that has a key twice.
public enum DuplicateKeys: Sendable {
    /// The record is refused: no two readers can then disagree about it.
    case refused
    /// The last one counts, as in most readers; the others are not seen.
    case lastWins
}
