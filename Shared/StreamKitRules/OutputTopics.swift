public import Expressions
public import StreamKit
public import StreamKitService

/// Where records go: `output: topic`, `output: {topic: ..., partitions: 4}`, or one of several topics that an expression chooses for
/// each record: `output: {topics: [orders.eu, orders.other], topic: 'region == "eu" ? "orders.eu" : "orders.other"'}`.
///
/// The topics are named beforehand, so that no record can make one up, and all are there before the first record.
public struct OutputTopics: Sendable {
    let sinks: [SinkDefinition]
    /// nil where there is no choice.
    let choice: Expression?

    /// Reads them; what is wrong is recorded.
    public init(_ settings: SettingsReader, _ key: String, _ declarations: RuleDeclarations) {
        guard settings.isPresent("\(key).topics") else {
            sinks = [settings.sink(key)]
            choice = nil
            return
        }
        let section = settings.section(key)
        let topics = section.list("topics", .topicName, atLeast: 1)
        if Set(topics).count < topics.count { section.problem("topics", "names a topic twice") }
        let partitions = section.optional("partitions", .integer(in: 1...100_000)).map(Int32.init)
        sinks = topics.map { SinkDefinition($0, partitions: partitions) }
        choice = declarations.compile(section, "topic", expecting: .string)
    }

    /// What is evaluated for each record.
    public var expressions: [Expression] { choice.map { [$0] } ?? [] }
}

extension Stream {
    /// Writes to the topics. The step before forwards to the output that its ``TopicChoice`` names.
    public func to(_ name: String, _ topics: OutputTopics) {
        for (index, sink) in topics.sinks.enumerated() {
            output(index).to(topics.choice == nil ? name : "\(name)-\(sink.topic)", sink)
        }
    }
}

/// Chooses a record's topic.
public final class TopicChoice {
    private let expression: Expression
    private let outputs: [Text: Int]

    /// nil where there is nothing to choose: records are then forwarded to the first output.
    public init?(_ topics: OutputTopics) {
        guard let expression = topics.choice else { return nil }
        self.expression = expression
        outputs = Dictionary(
            topics.sinks.enumerated().map { (Text($0.element.topic), $0.offset) },
            uniquingKeysWith: { first, _ in first })
    }

    /// The number of the step's output that writes to the topic of the record which the evaluator has read.
    public func output(_ evaluator: RuleEvaluator) throws(Refusal) -> Int {
        let value: Value
        do { value = try expression.evaluate(in: evaluator.context) } catch {
            throw RuleEvaluator.refusal("output.topic", error)
        }
        guard case .string(let topic) = value else {
            throw Refusal("EXPRESSION_FAILED", "output.topic: its value is not a string")
        }
        guard let output = outputs[topic] else {
            throw Refusal("EXPRESSION_FAILED", "output.topic: \(topic) is not among output.topics")
        }
        return output
    }
}
