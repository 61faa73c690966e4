internal import CLibrdkafka

/// One of Kafka's protocol error codes, or (negative) one of librdkafka's own.
public struct KafkaErrorCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: Int32

    public init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// The code's name as librdkafka writes it, `TOPIC_ALREADY_EXISTS` or `_TIMED_OUT`.
    public var description: String {
        String(cString: rd_kafka_err2name(rd_kafka_resp_err_t(rawValue: rawValue)))
    }

    init(_ code: rd_kafka_resp_err_t) {
        rawValue = code.rawValue
    }

    public static let offsetOutOfRange = KafkaErrorCode(RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE)
    public static let unknownTopicOrPartition = KafkaErrorCode(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
    public static let messageTooLarge = KafkaErrorCode(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
    public static let recordListTooLarge = KafkaErrorCode(RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE)
    public static let invalidRecord = KafkaErrorCode(RD_KAFKA_RESP_ERR_INVALID_RECORD)
    public static let invalidTimestamp = KafkaErrorCode(RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP)
    public static let topicAlreadyExists = KafkaErrorCode(RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
    public static let topicAuthorizationFailed = KafkaErrorCode(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
    public static let groupIdNotFound = KafkaErrorCode(RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND)
    public static let nonEmptyGroup = KafkaErrorCode(RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP)
    public static let fencedInstanceId = KafkaErrorCode(RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID)
    public static let unknownMemberId = KafkaErrorCode(RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID)
    public static let illegalGeneration = KafkaErrorCode(RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION)
    public static let producerFenced = KafkaErrorCode(RD_KAFKA_RESP_ERR_PRODUCER_FENCED)
    public static let invalidProducerEpoch = KafkaErrorCode(RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH)
    public static let localTimeout = KafkaErrorCode(RD_KAFKA_RESP_ERR__TIMED_OUT)
    public static let localQueueTimeout = KafkaErrorCode(RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE)
    public static let localMessageTimeout = KafkaErrorCode(RD_KAFKA_RESP_ERR__MSG_TIMED_OUT)
    public static let localTransport = KafkaErrorCode(RD_KAFKA_RESP_ERR__TRANSPORT)
    public static let localAllBrokersDown = KafkaErrorCode(RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
    public static let localQueueFull = KafkaErrorCode(RD_KAFKA_RESP_ERR__QUEUE_FULL)
    public static let localUnknownTopic = KafkaErrorCode(RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
    public static let localUnknownPartition = KafkaErrorCode(RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION)
    public static let localAutoOffsetReset = KafkaErrorCode(RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET)
    public static let localMaximumPollExceeded = KafkaErrorCode(RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED)
    public static let localFatal = KafkaErrorCode(RD_KAFKA_RESP_ERR__FATAL)
    public static let localFenced = KafkaErrorCode(RD_KAFKA_RESP_ERR__FENCED)
    public static let localState = KafkaErrorCode(RD_KAFKA_RESP_ERR__STATE)
    public static let localInvalidArgument = KafkaErrorCode(RD_KAFKA_RESP_ERR__INVALID_ARG)
    public static let localPurgedFromQueue = KafkaErrorCode(RD_KAFKA_RESP_ERR__PURGE_QUEUE)
    public static let localPurgedInFlight = KafkaErrorCode(RD_KAFKA_RESP_ERR__PURGE_INFLIGHT)

    /// A group's coordinator is not there yet, or no longer where it was: the next try finds it.
    var meansCoordinatorIsMoving: Bool {
        [
            RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS.rawValue,
            RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE.rawValue, RD_KAFKA_RESP_ERR_NOT_COORDINATOR.rawValue,
        ].contains(rawValue)
    }

    /// The answer never came: what was asked for may have happened or not.
    public var leavesOutcomeUnknown: Bool {
        switch self {
        case .localTimeout, .localQueueTimeout, .localMessageTimeout, .localTransport, .localAllBrokersDown: true
        default: rawValue == RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT.rawValue
        }
    }
}

/// A call to Kafka that failed: what was attempted, on what, and why.
public struct KafkaError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was attempted, as a phrase that follows "while": `committing the transaction`.
    public let operation: String
    /// The topic, partition or group that it was about, where there is one.
    public let subject: String?
    public let code: KafkaErrorCode
    /// librdkafka's or the broker's own words.
    public let message: String
    /// The client is of no use any more and has to be made anew.
    public let isFatal: Bool
    /// The same call may be made again.
    public let isRetriable: Bool
    /// The current transaction has to be aborted.
    public let requiresAbort: Bool

    public init(
        operation: String, subject: String? = nil, code: KafkaErrorCode, message: String, isFatal: Bool = false,
        isRetriable: Bool = false, requiresAbort: Bool = false
    ) {
        self.operation = operation
        self.subject = subject
        self.code = code
        self.message = message
        self.isFatal = isFatal
        self.isRetriable = isRetriable
        self.requiresAbort = requiresAbort
    }

    public var description: String {
        let about = subject.map { " (\($0))" } ?? ""
        return "\(code) while \(operation)\(about): \(message)"
    }
}

extension KafkaError {
    init(_ operation: String, _ code: rd_kafka_resp_err_t, subject: String? = nil, message: String? = nil) {
        self.init(
            operation: operation, subject: subject, code: KafkaErrorCode(code),
            message: message ?? String(cString: rd_kafka_err2str(code)),
            isFatal: code == RD_KAFKA_RESP_ERR__FATAL)
    }

    /// Takes over an `rd_kafka_error_t`; nil if there is none.
    init?(_ operation: String, taking error: OpaquePointer?, subject: String? = nil) {
        guard let error else { return nil }
        defer { rd_kafka_error_destroy(error) }
        self.init(
            operation: operation, subject: subject, code: KafkaErrorCode(rd_kafka_error_code(error)),
            message: String(cString: rd_kafka_error_string(error)), isFatal: rd_kafka_error_is_fatal(error) != 0,
            isRetriable: rd_kafka_error_is_retriable(error) != 0,
            requiresAbort: rd_kafka_error_txn_requires_abort(error) != 0)
    }
}

func check(_ code: rd_kafka_resp_err_t, _ operation: String, subject: String? = nil) throws(KafkaError) {
    if code != RD_KAFKA_RESP_ERR_NO_ERROR { throw KafkaError(operation, code, subject: subject) }
}
