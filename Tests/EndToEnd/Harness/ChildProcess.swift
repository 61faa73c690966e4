import Foundation

/// A process that a test starts, signals by its id, and ends; it ends with the test process too, however that goes.
final class ChildProcess {
    let name: String
    let pid: pid_t
    let log: URL
    private var status: Int32?
    private let logStart: Int
    /// The test has asked for its end.
    private var isToEnd = false

    /// Starts `executable`; what it says goes to `log`, after what is there.
    init(
        _ name: String, executable: URL, arguments: [String], environment: [String: String], log: URL
    ) throws {
        self.name = name
        self.log = log
        logStart = (try? Data(contentsOf: log))?.count ?? 0
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, log.path, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var words = ([executable.path] + arguments).map { strdup($0) } + [nil]
        var variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for word in words + variables { free(word) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, executable.path, &actions, nil, &words, &variables)
        guard code == 0 else {
            throw HarnessError("cannot start \(executable.path): \(String(cString: strerror(code)))")
        }
        self.pid = pid
        Watchdog.common.watch(pid)
    }

    deinit { kill() }

    var isRunning: Bool {
        reap(WNOHANG)
        return status == nil
    }

    func signal(_ signal: Int32) { if isRunning { Foundation.kill(pid, signal) } }

    /// SIGKILL, waited for.
    func kill() {
        guard isRunning else { return }
        isToEnd = true
        Foundation.kill(pid, SIGKILL)
        reap(0)
    }

    /// SIGTERM; answers the exit code, or nil if the process did not end in time and was killed, or died of a signal.
    func terminate(within seconds: Double = 10) -> Int32? {
        guard isRunning else { return nil }
        isToEnd = true
        signal(SIGTERM)
        let deadline = Date() + seconds
        while isRunning {
            if Date() > deadline {
                kill()
                return nil
            }
            usleep(10_000)
        }
        return exitCode
    }

    /// It died of SIGTERM before it was so far as to take it for a request.
    var wasTerminatedTooEarly: Bool {
        guard let status, status & 0x7F == SIGTERM else { return false }
        return (try? Data(contentsOf: log))?.count ?? 0 == logStart
    }

    private var exitCode: Int32? {
        guard let status, status & 0x7F == 0 else { return nil }
        return status >> 8 & 0xFF
    }

    /// How it ended without being asked to: a trap, say. nil while it runs and when it did as it was told.
    var unaskedEnd: String? {
        guard !isRunning, !isToEnd, let status else { return nil }
        let how = exitCode.map { "exit code \($0)" } ?? "signal \(status & 0x7F)"
        return "\(name) ended by itself, \(how):\n\(lastWords)"
    }

    private func reap(_ options: Int32) {
        guard status == nil else { return }
        var status: Int32 = 0
        while true {
            let result = waitpid(pid, &status, options)
            if result == pid {
                self.status = status
                Watchdog.common.forget(pid)
            } else if result < 0, errno == EINTR {
                continue
            }
            return
        }
    }

    /// What it has used of the processors so far, in seconds.
    var processorSeconds: Double {
        guard let line = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
            let end = line.lastIndex(of: ")")
        else { return 0 }
        // After the name: user and system time are the twelfth and thirteenth.
        let fields = line[end...].split(separator: " ")
        let ticks = fields.dropFirst(12).prefix(2).reduce(0) { $0 + (Double($1) ?? 0) }
        return ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// The end of what it said.
    var lastWords: String {
        let text = (try? String(decoding: Data(contentsOf: log), as: UTF8.self)) ?? ""
        return text.split(separator: "\n").suffix(12).joined(separator: "\n")
    }
}

struct HarnessError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// A shell that outlives the test process by a moment: when the pipe to it breaks, it kills what was not forgotten, by its id.
private final class Watchdog: @unchecked Sendable {
    static let common = Watchdog()

    private let lock = NSLock()
    private var pipe: Int32 = -1

    private init() {
        let script = """
            list=" "
            while read -r word pid; do
              case $word in
                watch) list="$list$pid " ;;
                forget) case $list in *" $pid "*) list="${list%% "$pid" *} ${list#* "$pid" }" ;; esac ;;
              esac
            done
            for pid in $list; do kill -9 "$pid" 2>/dev/null; done
            """
        var ends: [Int32] = [0, 0]
        guard Foundation.pipe(&ends) == 0 else { return }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[0], 0)
        var words = (["sh", "-c", script] as [String]).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var pid: pid_t = 0
        var none: [UnsafeMutablePointer<CChar>?] = [nil]
        if posix_spawn(&pid, "/bin/sh", &actions, nil, &words, &none) == 0 { pipe = ends[1] }
        close(ends[0])
    }

    func watch(_ pid: pid_t) { tell("watch \(pid)\n") }
    func forget(_ pid: pid_t) { tell("forget \(pid)\n") }

    private func tell(_ line: String) {
        lock.withLock { _ = write(pipe, line, line.utf8.count) }
    }
}
