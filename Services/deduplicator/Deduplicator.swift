import Expressions
package import StreamKit
import StreamKitRules
package import StreamKitService

/// Lets the first record of a key pass and refuses those whose event time is within a span of one seen.
@main package struct Deduplicator: StreamService {
    package static let name = "deduplicator"
    package static let about = "Refuses records that repeat a key within a span of event time."

    private let input: ServiceInput
    private let output: SinkDefinition
    private let declarations: RuleDeclarations
    private let key: Expression?
    private let eventTime: Expression?
    private let within: Duration

    package init(_ settings: SettingsReader) {
        input = ServiceInput(settings)
        output = settings.sink("output")
        declarations = RuleDeclarations(settings)
        key = declarations.compile(settings, "key", expecting: nil)
        eventTime = declarations.compile(settings, "event_time", expecting: nil)
        within = settings.required("within", .duration(in: .seconds(1)...(.seconds(366 * 86_400))))
    }

    package func makeWatch() -> (@Sendable () -> any ServiceWatch)? { declarations.watch }

    package func declare(_ flow: Flow) {
        guard let key, let eventTime else { return }
        let declarations = declarations
        flow.source("records", topics: input.topics)
            .deduplicate("seen", within: within) {
                RecordEventReader(declarations, $0, key: key, eventTime: eventTime)
            }
            .to("first", output)
    }
}
