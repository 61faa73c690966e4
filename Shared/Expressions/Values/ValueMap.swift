/// A map of values in the order in which its entries were made.
///
/// Keys are bool, int, uint or string; numbers that are equal are the same key, whatever their types.
public struct ValueMap: Sendable {
    /// In the order in which their keys were first set.
    public private(set) var entries: [(key: Value, value: Value)] = []
    private var places: [Key: Int] = [:]

    /// Below this size entries are compared one by one: cheaper than hashing.
    private static let linearSize = 8

    public init() {}

    /// From pairs of strings and values.
    public init(_ elements: some Sequence<(String, Value)>) {
        for (key, value) in elements { _ = set(.string(Text(key)), value) }
    }

    public var count: Int { entries.count }
    public var isEmpty: Bool { entries.isEmpty }

    /// The value under a key; nil where there is none.
    public subscript(key: Value) -> Value? {
        place(of: key).map { entries[$0].value }
    }

    /// The value under a string.
    public subscript(key: Text) -> Value? {
        place(of: .text(key)).map { entries[$0].value }
    }

    func contains(_ key: Value) -> Bool { place(of: key) != nil }

    /// Sets or replaces; false if the key's type cannot be a key.
    public mutating func set(_ key: Value, _ value: Value) -> Bool {
        guard let normalized = Key(key) else { return false }
        if let place = place(of: normalized) {
            entries[place].value = value
            return true
        }
        entries.append((key.plain, value))
        if entries.count == Self.linearSize + 1 {
            for (place, entry) in entries.enumerated() {
                if let key = Key(entry.key) { places[key] = place }
            }
        } else if entries.count > Self.linearSize {
            places[normalized] = entries.count - 1
        }
        return true
    }

    private func place(of key: Value) -> Int? {
        Key(key).flatMap(place(of:))
    }

    private func place(of key: Key) -> Int? {
        if entries.count > Self.linearSize { return places[key] }
        return entries.firstIndex { Key($0.key) == key }
    }

    /// One form for all numbers that are equal.
    enum Key: Hashable, Sendable {
        case bool(Bool)
        case int(Int64)
        case large(UInt64)
        case text(Text)

        init?(_ value: Value) {
            switch value {
            case .bool(let bool): self = .bool(bool)
            case .int(let int): self = .int(int)
            case .uint(let uint): self = Int64(exactly: uint).map { .int($0) } ?? .large(uint)
            case .string(let text): self = .text(text)
            case .double(let double):
                if let int = Int64(exactly: double) {
                    self = .int(int)
                } else if let uint = UInt64(exactly: double) {
                    self = .large(uint)
                } else {
                    return nil
                }
            case .number(let number): self.init(.double(number.double))
            default: return nil
            }
        }
    }
}
