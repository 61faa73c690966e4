import EmbeddedBroker
import Glibc

let arguments = CommandLine.arguments.dropFirst()
let options: Options
switch Options.parse(Array(arguments)) {
case .success(.run(let parsed)):
    options = parsed
case .success(.show(let text)):
    print(text)
    exit(0)
case .failure(let problems):
    for problem in problems.messages { complain(problem) }
    complain("try --help")
    exit(2)
}

// Blocked before any thread starts, so that the signal waits for `sigwait` below.
var signals = sigset_t()
sigemptyset(&signals)
sigaddset(&signals, SIGTERM)
sigaddset(&signals, SIGINT)
pthread_sigmask(SIG_BLOCK, &signals, nil)

do throws(BrokerStartError) {
    let broker = try EmbeddedBroker(options.configuration)
    // Written at once, also into a pipe: whoever started the broker waits for this line.
    let line = Array("listening on \(broker.bootstrapServers)\n".utf8)
    _ = write(STDOUT_FILENO, line, line.count)
    var received: Int32 = 0
    sigwait(&signals, &received)
    broker.stop()
} catch {
    complain(error.description)
    exit(1)
}

func complain(_ problem: String) {
    let line = Array("embedded-broker: \(problem)\n".utf8)
    _ = write(STDERR_FILENO, line, line.count)
}
