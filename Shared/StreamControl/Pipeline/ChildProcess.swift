internal import CProcess
internal import Glibc
internal import StreamKitService

/// A program to be run: where it is, with which arguments and environment.
struct ProgramStart {
    let path: String
    let arguments: [String]
    /// In place of the parent's, or beside it.
    let environment: [String: String]
}

/// A running child process in a process group of its own; it is killed when the thread that started it ends.
final class ChildProcess {
    let processID: pid_t
    /// What it writes on standard output and standard error, together; at its end once nobody holds them any more.
    let output: Int32

    init(_ program: ProgramStart) throws(SystemError) {
        let ends = try SystemPipe.make()
        // A program expects its standard output to wait.
        _ = fcntl(ends.write, F_SETFL, 0)
        let arguments = CStringArray([program.path] + program.arguments)
        let variables = program.environment.map { "\($0.key)=\($0.value)" }
        let environment = CStringArray(variables)
        let started = cprocess_start(program.path, arguments.pointer, environment.pointer, ends.write)
        close(ends.write)
        guard started > 0 else {
            close(ends.read)
            throw SystemError("cannot run \(program.path)", code: -started)
        }
        processID = started
        output = ends.read
    }

    deinit { close(output) }

    /// To the whole group.
    func send(_ signal: Int32) {
        kill(-processID, signal)
    }

    /// How it ended, once it has; nil before. Whatever is left of its group is killed then.
    func reap() -> ProcessEnd? {
        var status: Int32 = 0
        guard cprocess_reap(processID, &status) else { return nil }
        let signal = cprocess_signal(status)
        return signal == 0 ? .exited(code: cprocess_exit_code(status)) : .killed(signal: signal)
    }
}

enum SystemPipe {
    /// Neither end waits, and no child inherits one.
    static func make() throws(SystemError) -> (read: Int32, write: Int32) {
        var ends: [Int32] = [0, 0]
        guard pipe2(&ends, O_CLOEXEC | O_NONBLOCK) == 0 else { throw SystemError("cannot make a pipe", code: errno) }
        return (ends[0], ends[1])
    }
}

/// How a process ended.
package enum ProcessEnd: Equatable, CustomStringConvertible {
    case exited(code: Int32)
    case killed(signal: Int32)

    package var description: String {
        switch self {
        case .exited(let code): "exit code \(code)"
        case .killed(let signal): "signal \(signal) (\(String(cString: strsignal(signal))))"
        }
    }
}

/// A null-terminated array of C strings, owned.
private final class CStringArray {
    let pointer: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let count: Int

    init(_ texts: [String]) {
        count = texts.count
        pointer = .allocate(capacity: count + 1)
        for (index, text) in texts.enumerated() { (pointer + index).initialize(to: strdup(text)) }
        (pointer + count).initialize(to: nil)
    }

    deinit {
        for index in 0..<count { free(pointer[index]) }
        pointer.deallocate()
    }
}
