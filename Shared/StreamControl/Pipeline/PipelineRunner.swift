internal import Glibc
public import StreamKitService

/// Runs a pipeline's services as child processes on this machine: shows what they say, starts again what dies, and ends them
/// all together.
///
/// Everything happens on the thread that calls ``run()``; the children are killed if it ends without having ended them.
public final class PipelineRunner {
    private final class Child {
        let name: String
        let program: ProgramStart
        var supervision = Supervision()
        var process: ChildProcess?
        var startedAt = Duration.zero
        var output: PrefixedOutput

        init(_ instance: PipelinePlan.Instance, width: Int, color: Int?) {
            name = instance.name
            program = instance.program
            output = PrefixedOutput(name: name, width: width, color: color)
        }
    }

    private static let ownName = "streamctl"
    private static let colors = [32, 33, 34, 35, 36, 92, 93, 94, 95, 96]

    private let children: [Child]
    private var own: PrefixedOutput
    private let begin = ContinuousClock.now
    private var isStopping = false
    private var exitCode = ExitCode.drained
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)

    /// - Parameter isColored: each service's prefix in a colour of its own.
    public init(
        _ request: PipelineRequest, environment: Environment, isColored: Bool
    ) throws(PipelineError) {
        let plan = try PipelinePlan(request, environment: environment.values) { access($0, X_OK) == 0 }
        let width = ([Self.ownName] + plan.instances.map(\.name)).map(\.count).max() ?? 0
        children = plan.instances.enumerated().map { index, instance in
            Child(instance, width: width, color: isColored ? Self.colors[index % Self.colors.count] : nil)
        }
        own = PrefixedOutput(name: Self.ownName, width: width, color: isColored ? 1 : nil)
    }

    /// Runs until SIGINT or SIGTERM, or until a service says that its configuration is wrong. Once per process.
    public func run() throws(SystemError) -> ExitCode {
        // Both ends stay open: the signals' thread may write as long as the process lives.
        let wake = try SystemPipe.make()
        let signals = try StopSignals { _ in _ = write(wake.write, "s", 1) }
        while true {
            if signals.isStopRequested { stop("stopping \(children.count) processes") }
            for child in children { advance(child) }
            if children.allSatisfy(\.supervision.hasEnded) { break }
            wait(wake.read)
            for child in children { listen(to: child) }
        }
        return exitCode
    }

    private var now: Duration { begin.duration(to: .now) }

    // MARK: One round

    private func wait(_ wake: Int32) {
        var descriptors = [pollfd(fd: wake, events: Int16(POLLIN), revents: 0)]
        for case let process? in children.map(\.process) {
            descriptors.append(pollfd(fd: process.output, events: Int16(POLLIN), revents: 0))
        }
        // A child's end is seen by its output's; a second, for one that left its output to somebody else.
        let due = children.compactMap(\.supervision.wakesAt).min().map { max(.zero, $0 - now) } ?? .seconds(1)
        let milliseconds = min(due, .seconds(1)) / .milliseconds(1)
        poll(&descriptors, nfds_t(descriptors.count), Int32(milliseconds.rounded(.up)))
        var byte: UInt8 = 0
        _ = read(wake, &byte, 1)
    }

    private func advance(_ child: Child) {
        switch child.supervision.timePassed(now: now) {
        case .start: start(child)
        case .kill:
            say("\(child.name) did not stop within \(Supervision.stopTimeout); killing it")
            exitCode = worse(.failed)
            child.process?.send(SIGKILL)
        case .terminate, nil: break
        }
    }

    private func start(_ child: Child) {
        do throws(SystemError) {
            child.process = try ChildProcess(child.program)
            child.startedAt = now
            child.supervision.started(now: now)
        } catch {
            judge(child, nil, "\(error)")
        }
    }

    private func listen(to child: Child) {
        guard let process = child.process else { return }
        var isAtEnd = false
        while true {
            let count = read(process.output, &buffer, buffer.count)
            if count > 0 {
                show(child.output.append(buffer[..<count]))
                continue
            }
            if count < 0 && errno == EINTR { continue }
            isAtEnd = count == 0
            break
        }
        guard let end = process.reap() else {
            // It closed its outputs and lives on: nothing wakes us but time.
            if isAtEnd { usleep(10_000) }
            return
        }
        show(child.output.end())
        child.process = nil
        let lasted = (now - child.startedAt) / .milliseconds(1)
        judge(child, end, "\(child.name) ended with \(end) after \((lasted / 100).rounded() / 10) s")
    }

    private func judge(_ child: Child, _ end: ProcessEnd?, _ what: String) {
        switch child.supervision.ended(end, now: now) {
        case .startsAgain(let delay): say("\(what); starting it again in \(delay)")
        case .refused:
            exitCode = .configuration
            say("\(what): its configuration is wrong, see above")
            stop("stopping the others")
        case .stopped where end == .exited(code: 0): break
        case .stopped:
            exitCode = worse(end == .exited(code: ExitCode.configuration.rawValue) ? .configuration : .failed)
            say(what)
        }
    }

    private func stop(_ message: String) {
        if isStopping { return }
        isStopping = true
        say(message)
        for child in children where child.supervision.stop(now: now) == .terminate { child.process?.send(SIGTERM) }
    }

    private func worse(_ code: ExitCode) -> ExitCode { exitCode == .drained ? code : exitCode }

    // MARK: Showing

    private func say(_ message: String) {
        show(own.append(Array("\(message)\n".utf8)))
    }

    private func show(_ lines: [UInt8]) {
        Terminal.output.write(lines)
    }
}
