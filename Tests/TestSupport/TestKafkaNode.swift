import Foundation

/// One node's process and folder.
final class TestKafkaNode {
    private let id: Int
    private let home: String
    private let folder: URL
    private let properties: [String: String]
    private let formatArguments: [String]
    private var process: Process?
    private var lifeline: Pipe?
    private var pid: pid_t?
    private var logMark = 0

    /// - Parameter formatArguments: for the tool that formats the log, on top of what it always gets.
    init(id: Int, home: String, folder: URL, properties: [String: String], formatArguments: [String] = []) {
        self.id = id
        self.home = home
        self.folder = folder
        self.properties = properties
        self.formatArguments = formatArguments
    }

    private func file(_ name: String) -> URL { folder.appendingPathComponent(name) }

    private var java: [String] {
        // The quick compiler only: a broker of tests lives for seconds.
        [
            "java", "-Xmx384m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto",
            "-Dlog4j2.configurationFile=\(file("log4j2.properties").path)", "-cp", "\(home)/libs/*",
        ]
    }

    /// Writes the node's files and begins to format its log; what is returned waits for that.
    func startFormatting() throws -> () throws -> Void {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        var lines = properties.map { "\($0)=\($1)" }
        lines.append("log.dirs=\(file("data").path)")
        try (lines.joined(separator: "\n") + "\n").write(
            to: file("server.properties"), atomically: true, encoding: .utf8)
        try """
        status=error
        appender.out.type=Console
        appender.out.name=out
        appender.out.layout.type=PatternLayout
        appender.out.layout.pattern=[%d] %p %m (%c)%n
        rootLogger.level=INFO
        rootLogger.appenderRef.out.ref=out
        """.write(to: file("log4j2.properties"), atomically: true, encoding: .utf8)
        let format = Process()
        format.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        format.arguments =
            java + [
                "kafka.tools.StorageTool", "format", "-t", "c3RyZWFta2l0LXRlc3RzMQ", "-c",
                file("server.properties").path,
            ] + formatArguments
        let output = file("format.log")
        try Data().write(to: output)
        format.standardOutput = try FileHandle(forWritingTo: output)
        format.standardError = format.standardOutput
        try format.run()
        return {
            format.waitUntilExit()
            if format.terminationStatus != 0 {
                let said = (try? String(contentsOf: output, encoding: .utf8)) ?? ""
                throw TestKafkaError("formatting node \(self.id) failed:\n\(said)")
            }
        }
    }

    /// Starts the broker under a shell that ends it, and removes its files, once this process closes its pipe or dies.
    func launch() throws {
        let log = file("server.log")
        if !FileManager.default.fileExists(atPath: log.path) { try Data().write(to: log) }
        logMark = try Data(contentsOf: log).count
        let script = """
            folder=$1; shift
            "$@" >>"$folder/server.log" 2>&1 </dev/null &
            child=$!
            echo $child
            read -r keep
            kill -9 $child 2>/dev/null
            wait $child 2>/dev/null
            if [ "$keep" != keep ]; then rm -rf "$folder"; rmdir "$(dirname "$folder")" 2>/dev/null; fi
            """
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/bin/sh")
        shell.arguments =
            ["-c", script, "sh", folder.path] + java + ["kafka.Kafka", file("server.properties").path]
        let (lifeline, answer) = (Pipe(), Pipe())
        shell.standardInput = lifeline
        shell.standardOutput = answer
        shell.standardError = FileHandle.nullDevice
        try shell.run()
        // Another child that held it open would keep the shell waiting.
        _ = fcntl(lifeline.fileHandleForWriting.fileDescriptor, F_SETFD, FD_CLOEXEC)
        guard let line = String(data: answer.fileHandleForReading.availableData, encoding: .utf8),
            let pid = pid_t(line.trimmingCharacters(in: .whitespacesAndNewlines))
        else { throw TestKafkaError("node \(id) did not start") }
        (process, self.lifeline, self.pid) = (shell, lifeline, pid)
    }

    func waitUntilReady() throws {
        let deadline = Date() + 120
        let log = file("server.log")
        while Date() < deadline {
            let text = try Data(contentsOf: log).dropFirst(logMark)
            if text.range(of: Data("Kafka Server started".utf8)) != nil { return }
            guard let pid, Foundation.kill(pid, 0) == 0 else {
                throw TestKafkaError("node \(id) ended: \(String(decoding: text.suffix(2_000), as: UTF8.self))")
            }
            usleep(20_000)
        }
        throw TestKafkaError("node \(id) was not ready after 120 s; see \(log.path)")
    }

    /// Whether the node's log, since the cluster was made, has this text.
    func hasLogged(_ text: String) -> Bool {
        (try? Data(contentsOf: file("server.log")))?.range(of: Data(text.utf8)) != nil
    }

    func signal(_ signal: Int32) {
        if let pid { Foundation.kill(pid, signal) }
    }

    /// SIGKILL, waited for. The log stays for ``launch()``; a node that is never launched again loses it with the cluster.
    func kill(keepingLog: Bool = true) {
        guard let process, let lifeline else { return }
        if keepingLog { lifeline.fileHandleForWriting.write(Data("keep\n".utf8)) }
        try? lifeline.fileHandleForWriting.close()
        process.waitUntilExit()
        (self.process, self.lifeline, pid) = (nil, nil, nil)
    }

    func remove() {
        kill(keepingLog: false)
        try? FileManager.default.removeItem(at: folder)
        rmdir(folder.deletingLastPathComponent().path)
    }
}
