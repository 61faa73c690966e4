/// What a program's end tells whoever started it; 64, 65 and 78 are those of BSD's sysexits.
public enum ExitCode: Int32, Sendable {
    /// Asked to stop, and everything taken in was committed.
    case drained = 0
    /// Could not go on; the log says why.
    case failed = 1
    /// The command line is wrong; starting again will not help.
    case usage = 64
    /// What was to be judged is not valid (of tools that judge data).
    case invalidData = 65
    /// The configuration is wrong; starting again will not help.
    case configuration = 78
}
