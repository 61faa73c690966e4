/// How far the dead letters of a partition were put back, each kind by itself, so that putting back those of one reason leaves
/// the others for later. It stands beside the committed offset of the replay's group, as its metadata:
///
///     1 validator/MALFORMED_JSON=120 deduplicator/DUPLICATE=34
struct ReplayProgress: Equatable {
    /// Below what brokers take (4,096 bytes by default).
    private static let bytesMax = 4_000

    /// The next offset of each kind that was put back at all.
    private(set) var next: [DeadLetterKind: Int64] = [:]

    init() {}

    init(_ metadata: String) throws {
        let words = metadata.split(separator: " ")
        guard let version = words.first else { return }
        guard version == "1" else {
            throw ClusterQuestionError("the progress of an earlier replay is of a newer version: \(metadata)")
        }
        for word in words.dropFirst() {
            let parts = word.split(separator: "=")
            let names = parts.first?.split(separator: "/", omittingEmptySubsequences: false) ?? []
            guard parts.count == 2, names.count == 2, let offset = Int64(parts[1]) else {
                throw ClusterQuestionError("the progress of an earlier replay cannot be read: \(metadata)")
            }
            next[DeadLetterKind(stage: Self.plain(names[0]), reason: Self.plain(names[1]))] = offset
        }
    }

    func isDone(_ kind: DeadLetterKind, at offset: Int64) -> Bool { next[kind].map { offset < $0 } ?? false }

    mutating func done(_ kind: DeadLetterKind, at offset: Int64) { next[kind] = max(next[kind] ?? 0, offset + 1) }

    /// Up to where something was put back.
    var offset: Int64 { next.values.max() ?? 0 }

    func metadata() throws -> String {
        let entries = next.sorted { $0.key < $1.key }.map { kind, offset in
            " \(Self.escaped(kind.stage))/\(Self.escaped(kind.reason))=\(offset)"
        }
        let text = "1" + entries.joined()
        if text.utf8.count > Self.bytesMax {
            throw ClusterQuestionError(
                "there are too many kinds of dead letters to remember how far each was put back (\(next.count))")
        }
        return text
    }

    /// Names are words, as a rule; whatever else they hold stands as `%` and its code.
    private static func escaped(_ name: String) -> String {
        name.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                String(UnicodeScalar(byte))
            default: "%" + String(Int(byte) + 256, radix: 16).dropFirst()
            }
        }.joined()
    }

    private static func plain(_ name: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = name.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let code = UInt8(String(Substring(rest.prefix(2))), radix: 16) {
                bytes.append(code)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
