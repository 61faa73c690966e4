internal import Kafka
internal import StreamKit

extension BrokerFailure {
    /// A call outside a transaction: made again unless a person has to act.
    init(_ error: KafkaError, _ operation: String) {
        self.init(error.response, operation: operation, reason: error.reason)
    }

    /// A transactional call; nil if it was done.
    init?(_ outcome: TransactionOutcome, _ operation: String) {
        switch outcome {
        case .completed: return nil
        case .retriable(let error):
            self.init(error.needsAPerson ? .stop : .retry, operation: operation, reason: error.reason)
        case .requiresAbort(let error):
            self.init(error.needsAPerson ? .stop : .abort, operation: operation, reason: error.reason)
        case .fatal(let error), .ambiguous(let error):
            self.init(error.needsAPerson ? .stop : .recreate, operation: operation, reason: error.reason)
        }
    }
}

extension KafkaError {
    var reason: String { "\(code): \(message)" }

    var response: BrokerFailure.Response { needsAPerson || isFatal ? .stop : .retry }

    /// No permission, wrong credentials, settings that the broker refuses: another try ends the same.
    var needsAPerson: Bool {
        Self.hopeless.contains(code.description)
    }

    private static let hopeless: Set<String> = [
        "TOPIC_AUTHORIZATION_FAILED", "GROUP_AUTHORIZATION_FAILED", "CLUSTER_AUTHORIZATION_FAILED",
        "TRANSACTIONAL_ID_AUTHORIZATION_FAILED", "SASL_AUTHENTICATION_FAILED", "_AUTHENTICATION",
        "UNSUPPORTED_SASL_MECHANISM", "ILLEGAL_SASL_STATE", "INVALID_TRANSACTION_TIMEOUT", "INVALID_SESSION_TIMEOUT",
        "INVALID_GROUP_ID", "INCONSISTENT_GROUP_PROTOCOL", "GROUP_MAX_SIZE_REACHED", "TOPIC_EXCEPTION",
        "INVALID_CONFIG", "POLICY_VIOLATION", "UNSUPPORTED_VERSION", "_UNSUPPORTED_FEATURE",
        "_INVALID_ARG", "_SSL", "SECURITY_DISABLED",
    ]
}

/// Runs a call of the Kafka room, and says what was attempted in the runtime's words.
func attempt<Result: ~Copyable>(
    _ operation: @autoclosure () -> String, _ body: () throws(KafkaError) -> Result
) throws(BrokerFailure) -> Result {
    do throws(KafkaError) { return try body() } catch { throw BrokerFailure(error, operation()) }
}

extension RuntimeLog {
    /// What a client says of itself, by syslog's levels.
    func clientSays(_ line: KafkaLogLine) {
        let level: RuntimeLogLevel =
            switch line.level {
            case ...3: .error
            case 4: .warning
            case 5: .notice
            case 6: .info
            default: .debug
            }
        log(
            level, "Kafka client", [("client", line.client), ("facility", line.facility), ("detail", line.message)])
    }
}
