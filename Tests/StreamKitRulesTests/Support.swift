import Expressions
import class Expressions.Expression
import Foundation
import StreamKit
import StreamKitRules
import StreamKitService

/// Reads settings out of a text, as a service does out of its file.
func read<Settings>(_ yaml: String, _ body: (SettingsReader) -> Settings?) throws -> Settings {
    try SettingsDocument(Array(yaml.utf8), source: "s.yaml", environment: StreamKitService.Environment([:])).read(body)
        .settings
}

/// A folder that ends with the test.
final class TemporaryFolder {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("streamkit-rules-\(UUID().uuidString)")

    init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(at: url) }

    @discardableResult
    func write(_ name: String, _ text: String) throws -> String {
        let file = url.appendingPathComponent(name)
        try Data(text.utf8).write(to: file)
        return file.path
    }
}

/// A service's `--check` of a file, as people run it.
struct Check {
    let code: Int32
    /// The lines of what was wrong, without the folder's name.
    let lines: [String]

    init(_ service: String, _ file: String, in folder: TemporaryFolder) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent().appendingPathComponent(service)
        process.arguments = ["--config", file, "--check"]
        process.standardInput = FileHandle.nullDevice
        let (output, error) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = error
        try process.run()
        let text = String(decoding: error.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        _ = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        code = process.terminationStatus
        lines = text.replacingOccurrences(of: folder.url.path + "/", with: "").split(separator: "\n").map(String.init)
    }
}

/// A step of computed fields, a condition and a choice of topics, as services put it together.
struct RuleStep: Sendable {
    let declarations: RuleDeclarations
    let fields: [ComputedField]
    let key: Expressions.Expression?
    let output: OutputTopics

    init(_ settings: SettingsReader) {
        var declarations = RuleDeclarations(settings)
        let fields = declarations.computedFields(settings, "fields")
        key = declarations.compile(settings, "key", expecting: nil, isRequired: false)
        output = OutputTopics(settings, "output", declarations)
        self.fields = declarations.fields(fields, readBy: output.expressions + (key.map { [$0] } ?? []))
        self.declarations = declarations
    }

    var expressions: [Expressions.Expression] {
        fields.map(\.expression) + (key.map { [$0] } ?? []) + output.expressions
    }
}

final class RuleStepProcessor: Processor {
    private let evaluator: RuleEvaluator
    private let fields: ComputedFields
    private let key: KeyExpression?
    private let topic: TopicChoice?

    init(_ context: ProcessorContext, _ step: RuleStep) {
        evaluator = RuleEvaluator(step.declarations, context, expressions: step.expressions)
        fields = ComputedFields(step.fields, evaluator: evaluator)
        key = step.key.map { KeyExpression("key", $0) }
        topic = TopicChoice(step.output)
        super.init(context)
    }

    override func process(_ record: Record) throws(StreamFault) {
        var computed = record
        var output = 0
        do throws(Refusal) {
            try evaluator.read(record)
            computed.value = try fields.compute()
            if let key { computed.key = try key.evaluate(evaluator) }
            if let topic { output = try topic.output(evaluator) }
        } catch {
            throw .refused(error)
        }
        try forward(computed, to: output)
    }
}
