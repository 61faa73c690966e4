import Glibc
import JSON
import Synchronization

/// Offsets from UTC: fixed ones (`+02:00`, `-09:30`, `02:00`) and IANA zones by name, from the system's database.
enum TimeZones {
    private static let database = "/usr/share/zoneinfo/"
    /// Zones by name; nil for names that the database does not have. Few, so never emptied.
    private static let cache = Mutex<[String: ZoneRules?]>([:])

    static func offsetSeconds(of zone: Text, at instant: Instant) throws(EvaluationError) -> Int {
        if zone.utf8.isEmpty || zone == "UTC" || zone == "Z" { return 0 }
        if let fixed = fixedOffset(zone.utf8) { return fixed }
        guard let rules = rules(zone.string) else {
            throw .invalid("'\(zone)' is neither a time zone nor an offset (+02:00)")
        }
        return rules.offsetSeconds(at: instant.seconds)
    }

    private static func fixedOffset(_ text: [UInt8]) -> Int? {
        var digits = text[...]
        var sign = 1
        if let first = digits.first, first == UInt8(ascii: "+") || first == UInt8(ascii: "-") {
            sign = first == UInt8(ascii: "-") ? -1 : 1
            digits = digits.dropFirst()
        }
        let parts = digits.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.count == 2 && $0.allSatisfy(\.isDigit) }),
            let hours = Int(String(decoding: parts[0], as: UTF8.self)), hours <= 23,
            let minutes = Int(String(decoding: parts[1], as: UTF8.self)), minutes <= 59
        else { return nil }
        return sign * (hours * 3600 + minutes * 60)
    }

    private static func rules(_ name: String) -> ZoneRules? {
        cache.withLock { cache in
            if let known = cache[name] { return known }
            // Names come from expressions or records: nothing outside the database, and no endless cache.
            let isName = name.utf8.allSatisfy { $0.isLetter || $0.isDigit || "_+-/".utf8.contains($0) }
            guard isName, !name.hasPrefix("/"), name.utf8.count <= 64 else { return nil }
            let rules = readFile(database + name).flatMap { ZoneRules(file: $0) }
            if cache.count < 1_000 { cache[name] = .some(rules) }
            return rules
        }
    }

    private static func readFile(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var contents = [UInt8](repeating: 0, count: 64 * 1024)
        var length = 0
        while length < contents.count {
            let count = contents.withUnsafeMutableBytes { buffer in
                read(descriptor, buffer.baseAddress?.advanced(by: length), buffer.count - length)
            }
            guard count > 0 else { return count == 0 ? Array(contents[..<length]) : nil }
            length += count
        }
        return nil
    }
}

/// The transitions of a zone, from a TZif file (RFC 8536).
struct ZoneRules: Sendable {
    private var transitions: [Int64] = []
    /// The offset after each transition.
    private var offsets: [Int] = []
    private var initialOffset = 0
    /// What holds after the last transition.
    private var footer: ZoneFooter?

    init?(file: [UInt8]) {
        var reader = TZifReader(bytes: file)
        guard let first = reader.header() else { return nil }
        if first.version >= UInt8(ascii: "2") {
            // The first block has 32-bit times; the second one repeats it with 64 bits.
            guard reader.skip(first.blockSize(timeSize: 4)), let header = reader.header(),
                read(header, timeSize: 8, from: &reader)
            else { return nil }
            footer = reader.footer().flatMap { ZoneFooter($0) }
        } else if !read(first, timeSize: 4, from: &reader) {
            return nil
        }
    }

    private mutating func read(_ header: TZifReader.Header, timeSize: Int, from reader: inout TZifReader) -> Bool {
        var times: [Int64] = []
        for _ in 0..<header.transitionCount {
            guard let time = reader.integer(timeSize) else { return false }
            times.append(time)
        }
        guard let indices = reader.bytes(header.transitionCount) else { return false }
        var types: [Int] = []
        for _ in 0..<header.typeCount {
            guard let offset = reader.integer(4), reader.skip(2) else { return false }
            types.append(Int(offset))
        }
        guard reader.skip(header.restSize(timeSize: timeSize)), let first = types.first else { return false }
        guard indices.allSatisfy({ Int($0) < types.count }) else { return false }
        transitions = times
        offsets = indices.map { types[Int($0)] }
        initialOffset = first
        return true
    }

    func offsetSeconds(at seconds: Int64) -> Int {
        var low = 0
        var high = transitions.count
        while low < high {
            let middle = (low + high) / 2
            if transitions[middle] <= seconds { low = middle + 1 } else { high = middle }
        }
        if low == transitions.count, let footer { return footer.offsetSeconds(at: seconds) }
        return low == 0 ? initialOffset : offsets[low - 1]
    }
}

struct TZifReader {
    struct Header {
        let version: UInt8
        let utcIndicatorCount: Int
        let standardIndicatorCount: Int
        let leapCount: Int
        let transitionCount: Int
        let typeCount: Int
        let abbreviationBytes: Int

        /// What stands behind the types.
        func restSize(timeSize: Int) -> Int {
            abbreviationBytes + leapCount * (timeSize + 4) + standardIndicatorCount + utcIndicatorCount
        }

        func blockSize(timeSize: Int) -> Int {
            transitionCount * (timeSize + 1) + typeCount * 6 + restSize(timeSize: timeSize)
        }
    }

    private let contents: [UInt8]
    private var position = 0

    init(bytes: [UInt8]) {
        contents = bytes
    }

    mutating func header() -> Header? {
        guard let magic = bytes(5), magic.starts(with: "TZif".utf8), skip(15) else { return nil }
        var counts: [Int] = []
        for _ in 0..<6 {
            guard let count = integer(4), (0...100_000).contains(count) else { return nil }
            counts.append(Int(count))
        }
        return Header(
            version: magic[magic.startIndex + 4], utcIndicatorCount: counts[0], standardIndicatorCount: counts[1],
            leapCount: counts[2], transitionCount: counts[3], typeCount: counts[4], abbreviationBytes: counts[5])
    }

    mutating func bytes(_ count: Int) -> ArraySlice<UInt8>? {
        guard count <= contents.count - position else { return nil }
        defer { position += count }
        return contents[position..<position + count]
    }

    mutating func skip(_ count: Int) -> Bool { bytes(count) != nil }

    /// A big-endian signed integer of 4 or 8 bytes.
    mutating func integer(_ size: Int) -> Int64? {
        guard let bytes = bytes(size) else { return nil }
        let value = bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return size == 4 ? Int64(Int32(truncatingIfNeeded: value)) : Int64(bitPattern: value)
    }

    /// The text between the two line feeds at the end.
    mutating func footer() -> [UInt8]? {
        guard bytes(1)?.first == 0x0A, let end = contents[position...].firstIndex(of: 0x0A) else { return nil }
        return Array(contents[position..<end])
    }
}
