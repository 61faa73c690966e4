internal import CLibrdkafka
internal import Synchronization

/// A line of librdkafka's own log, or an error of a client as a whole ("all brokers are down").
public struct KafkaLogLine: Sendable {
    /// As in syslog: 0 emergency, 3 error, 4 warning, 5 notice, 6 info, 7 debug.
    public let level: Int
    public let facility: String
    public let message: String
    /// The client's name: `<client.id>#producer-1`.
    public let client: String
}

/// What a client tells besides answers. Called on librdkafka's threads, several at once; must not call the client.
public struct KafkaClientObserver: Sendable {
    public var log: (@Sendable (KafkaLogLine) -> Void)?
    /// librdkafka's statistics, a JSON object, every `statistics.interval.ms`; called on the thread that uses the client.
    public var statistics: (@Sendable (UnsafeRawBufferPointer) -> Void)?

    public init(
        log: (@Sendable (KafkaLogLine) -> Void)? = nil, statistics: (@Sendable (UnsafeRawBufferPointer) -> Void)? = nil
    ) {
        self.log = log
        self.statistics = statistics
    }
}

/// What librdkafka's callbacks reach through the client's opaque pointer; lives as long as the client.
final class CallbackContext {
    let observer: KafkaClientObserver
    /// Both are called only within calls that the client's own thread makes, and unset before their object goes.
    var rebalance: ((rd_kafka_resp_err_t, UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) -> Void)?
    var delivered: ((UnsafePointer<rd_kafka_message_t>) -> Void)?

    /// Why a broker would not have this client: the last reason since it was taken.
    private let refusal = Mutex<(code: rd_kafka_resp_err_t, reason: String)?>(nil)

    init(_ observer: KafkaClientObserver) {
        self.observer = observer
    }

    func noteError(_ code: rd_kafka_resp_err_t, _ reason: String) {
        if code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR__SSL {
            refusal.withLock { $0 = (code, reason) }
        }
    }

    func takeRefusal() -> (code: rd_kafka_resp_err_t, reason: String)? {
        refusal.withLock { refusal in
            defer { refusal = nil }
            return refusal
        }
    }

    static func of(_ opaque: UnsafeMutableRawPointer?) -> CallbackContext? {
        opaque.map { Unmanaged<CallbackContext>.fromOpaque($0).takeUnretainedValue() }
    }
}

/// The one owner of an `rd_kafka_t`.
final class KafkaClientHandle {
    let pointer: OpaquePointer
    let context: CallbackContext

    enum Kind {
        case consumer
        case producer
    }

    init(_ kind: Kind, _ configuration: consuming KafkaConfiguration, _ observer: KafkaClientObserver)
        throws(KafkaError)
    {
        let context = CallbackContext(observer)
        let conf = configuration.take()
        rd_kafka_conf_set_opaque(conf, Unmanaged.passUnretained(context).toOpaque())
        rd_kafka_conf_set_log_cb(conf) { client, level, facility, message in
            guard let client, let log = CallbackContext.of(rd_kafka_opaque(client))?.observer.log else { return }
            log(
                KafkaLogLine(
                    level: Int(level), facility: facility.map { String(cString: $0) } ?? "",
                    message: message.map { String(cString: $0) } ?? "", client: String(cString: rd_kafka_name(client))))
        }
        rd_kafka_conf_set_error_cb(conf) { client, code, reason, opaque in
            guard let client, let context = CallbackContext.of(opaque) else { return }
            let name = KafkaErrorCode(rawValue: code).description
            let text = reason.map { String(cString: $0) } ?? name
            context.noteError(rd_kafka_resp_err_t(rawValue: code), text)
            context.observer.log?(
                KafkaLogLine(
                    level: code == RD_KAFKA_RESP_ERR__FATAL.rawValue ? 3 : 4, facility: name, message: text,
                    client: String(cString: rd_kafka_name(client))))
        }
        if observer.statistics != nil {
            rd_kafka_conf_set_stats_cb(conf) { _, json, length, opaque in
                CallbackContext.of(opaque)?.observer.statistics?(UnsafeRawBufferPointer(start: json, count: length))
                return 0
            }
        }
        if kind == .consumer {
            rd_kafka_conf_set_rebalance_cb(conf) { _, code, partitions, opaque in
                guard let partitions else { return }
                CallbackContext.of(opaque)?.rebalance?(code, partitions)
            }
        } else {
            rd_kafka_conf_set_dr_msg_cb(conf) { _, message, opaque in
                guard let message else { return }
                CallbackContext.of(opaque)?.delivered?(message)
            }
        }
        let made: Result<OpaquePointer, KafkaError> = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) {
            text in
            let type = kind == .consumer ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER
            if let pointer = rd_kafka_new(type, conf, text.baseAddress, text.count) { return .success(pointer) }
            let code = rd_kafka_last_error()
            rd_kafka_conf_destroy(conf)
            let message = text.baseAddress.map { String(cString: $0) }
            return .failure(KafkaError("making a \(kind)", code, message: message))
        }
        self.pointer = try made.get()
        self.context = context
    }

    /// Joins librdkafka's threads; after it no callback comes any more, so the context may go.
    deinit {
        context.rebalance = nil
        context.delivered = nil
        rd_kafka_destroy_flags(pointer, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE)
    }

    /// The error that made this client useless, if one did.
    var fatalError: KafkaError? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { text in
            let code = rd_kafka_fatal_error(pointer, text.baseAddress, text.count)
            if code == RD_KAFKA_RESP_ERR_NO_ERROR { return nil }
            return KafkaError(
                operation: "using \(String(cString: rd_kafka_name(pointer)))", code: KafkaErrorCode(code),
                message: text.baseAddress.map { String(cString: $0) } ?? "", isFatal: true)
        }
    }
}
