/// What keeps an expression from a file from hanging or exhausting a service.
public struct Limits: Hashable, Sendable {
    /// The longest source that is parsed.
    public var sourceBytes = 100_000
    /// Levels of nesting, of the source and of the tree made of it.
    public var nesting = 160
    /// What one evaluation may spend. A node costs 1, a function on strings, bytes, lists or maps in addition what it reads
    /// or makes: a tenth of the bytes, an element each.
    public var cost = 1_000_000

    public init() {}
}
