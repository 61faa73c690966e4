import Expressions
package import StreamKit
import StreamKitRules
package import StreamKitService

/// Watches what belongs to one key, a customer say, and tells what is suspicious.
@main package struct AnomalyDetector: StreamService {
    package static let name = "anomaly-detector"
    package static let about = "Tells bursts, conditions and outliers among the records of a key."

    private let input: ServiceInput
    private let output: SinkDefinition
    private let declarations: RuleDeclarations
    private let expressions: OrderExpressions?
    private let rules: AnomalyRules
    private let shufflePartitions: Int32?
    private let idle: Duration

    /// A watermark is told when it has come on by this part of what is remembered.
    private static let reportsPerRemember: Int64 = 16

    package init(_ settings: SettingsReader) {
        input = ServiceInput(settings)
        output = settings.sink("output")
        declarations = RuleDeclarations(settings)
        let key = declarations.compile(settings, "key", expecting: nil)
        let identifier = declarations.compile(settings, "id", expecting: nil)
        let eventTime = declarations.compile(settings, "event_time", expecting: nil)
        let amount = declarations.compile(settings, "amount", expecting: .decimal, isRequired: false)
        var reader = AnomalyRulesReader(declarations)
        rules = reader.read(settings, hasAmount: settings.isPresent("amount"))
        shufflePartitions = settings.optional("shuffle_partitions", .integer(in: 1...10_000)).map(Int32.init)
        idle = settings.value(
            "idle_after", .duration(in: .milliseconds(100)...(.seconds(86_400))), default: .seconds(60))
        if let key, let identifier, let eventTime {
            expressions = OrderExpressions(
                key: key, identifier: identifier, eventTime: eventTime, amount: amount, conditions: reader.conditions)
        } else {
            expressions = nil
        }
    }

    package func makeWatch() -> (@Sendable () -> any ServiceWatch)? { declarations.watch }

    package func declare(_ flow: Flow) {
        guard let expressions else { return }
        let declarations = declarations
        let rules = rules
        flow.source("records", topics: input.topics)
            .process("read") { OrderShuffle($0, declarations, expressions) }
            .repartition(
                RepartitionTopic("by-key", partitions: shufflePartitions),
                reporting: EventTimeReporting(
                    step: .milliseconds(rules.rememberMilliseconds / Self.reportsPerRemember), idle: idle)
            )
            .process("watch", stores: [StoreDefinition(CustomerWatch.store, format: rules.storeFormat)]) {
                CustomerWatch($0, rules)
            }
            .to("alerts", output)
    }
}

/// Reads the `rules:` of the file.
struct AnomalyRulesReader {
    private let declarations: RuleDeclarations
    private(set) var conditions: [(name: String, expression: Expression)] = []

    init(_ declarations: RuleDeclarations) { self.declarations = declarations }

    mutating func read(_ settings: SettingsReader, hasAmount: Bool) -> AnomalyRules {
        var rules: [AnomalyRules.Rule] = []
        var longest = Duration.zero
        for (type, section) in settings.namedSections("rules") {
            let severity = section.required("severity", .word(Severity.self))
            let description = section.value("description", .text, default: type)
            guard let condition = condition(type, section, hasAmount: hasAmount, longest: &longest) else { continue }
            rules.append(
                AnomalyRules.Rule(
                    type: type, severity: severity.rawValue, condition: condition,
                    description: AnomalyRules.Description(description)))
        }
        if !settings.isPresent("rules") { settings.problem("rules", "is missing; must be a mapping of names to rules") }
        // What arrives late still meets the orders around it: a day is kept beyond the longest span.
        let remember = settings.value(
            "remember", .duration(in: longest...(.seconds(366 * 86_400))), default: longest + .seconds(86_400))
        return AnomalyRules(
            rules: rules, rememberMilliseconds: remember.wholeMilliseconds,
            ordersMax: settings.value("remember_records", .integer(in: 10...100_000), default: 1000))
    }

    private enum Severity: String, CaseIterable, Sendable { case high, medium, low }

    private mutating func condition(
        _ type: String, _ section: SettingsReader, hasAmount: Bool, longest: inout Duration
    ) -> AnomalyRules.Condition? {
        let kinds = ["burst", "when", "outlier"].filter { section.isPresent($0) }
        guard kinds.count == 1 else {
            section.problem("", "must have one of burst, when, outlier")
            return nil
        }
        switch kinds[0] {
        case "burst":
            let span = section.required("burst.within", .duration(in: .milliseconds(1)...(.seconds(366 * 86_400))))
            longest = max(longest, span)
            return .burst(
                count: section.required("burst.count", .integer(in: 2...10_000)),
                spanMilliseconds: span.wholeMilliseconds)
        case "when":
            guard let expression = declarations.compile(section, "when", expecting: .bool) else { return nil }
            if conditions.count == 64 {
                section.problem("when", "is the 65th condition; 64 are possible")
                return nil
            }
            conditions.append(("rules.\(type).when", expression))
            return .matches(bit: conditions.count - 1)
        default:
            if !hasAmount { section.problem("outlier", "needs amount: the expression for the number that is compared") }
            return .outlier(
                deviations: section.required("outlier.deviations", .integer(in: 1...100)),
                minimum: section.value("outlier.minimum", .integer(in: 2...1_000_000), default: 10))
        }
    }
}
