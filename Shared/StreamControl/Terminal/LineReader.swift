internal import Glibc
internal import StreamKitService

/// Lines of a file or of standard input, as they come.
public final class LineReader {
    private let descriptor: Int32
    private let path: String
    private var bytes: [UInt8] = []
    private var isAtEnd = false
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)

    /// - Parameter path: `-` is standard input.
    public init(_ path: String) throws {
        self.path = path
        descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError("cannot open \(path)", code: errno) }
    }

    deinit {
        if descriptor != STDIN_FILENO { close(descriptor) }
    }

    /// Hands out each line without its line feed, the last one too if it has none; until `body` returns false.
    public func forEach(_ body: (UnsafeRawBufferPointer) throws -> Bool) throws {
        var searched = 0
        while true {
            var start = 0
            while let end = bytes[max(start, searched)...].firstIndex(of: UInt8(ascii: "\n")) {
                let goesOn = try bytes.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[start..<end])) }
                start = end + 1
                searched = start
                if !goesOn { return }
            }
            bytes.removeFirst(start)
            searched = bytes.count
            if try !readMore() { break }
        }
        if !bytes.isEmpty { _ = try bytes.withUnsafeBytes { try body($0) } }
    }

    /// Everything at once.
    public static func whole(_ path: String, limit: Int = 256 << 20) throws -> [UInt8] {
        let reader = try LineReader(path)
        while try reader.readMore() {
            if reader.bytes.count > limit { throw SystemError("cannot read \(path)", code: EFBIG) }
        }
        return reader.bytes
    }

    private func readMore() throws -> Bool {
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw SystemError("cannot read \(path)", code: errno) }
            bytes += buffer[..<count]
            return count > 0
        }
    }
}
