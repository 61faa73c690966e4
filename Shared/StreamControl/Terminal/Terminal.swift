internal import Glibc

/// Standard output and standard error.
public struct Terminal: Sendable {
    private let descriptor: Int32

    public static let output = Terminal(descriptor: STDOUT_FILENO)
    public static let error = Terminal(descriptor: STDERR_FILENO)

    /// Whether somebody looks, so that colours and questions make sense.
    public var isInteractive: Bool { isatty(descriptor) == 1 }

    public func write(_ text: String) {
        var text = text
        text.withUTF8 { write(UnsafeRawBufferPointer($0)) }
    }

    func write(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { write($0) }
    }

    /// What cannot be written is lost: who reads has gone.
    public func write(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// In characters; 80 if it does not tell.
    public var width: Int {
        var size = winsize()
        return ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
    }

    /// Whether somebody is there to be asked.
    public static var canAsk: Bool { isatty(STDIN_FILENO) == 1 }

    /// Asks a question that is answered by `y` or `yes`; false where nobody is there to answer.
    public static func confirm(_ question: String) -> Bool {
        guard canAsk else { return false }
        error.write("\(question) [y/N] ")
        let answer = readLine() ?? ""
        return ["y", "yes"].contains(answer.lowercased())
    }
}
