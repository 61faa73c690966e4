import Foundation

/// A dead letter as its reader sees it.
struct DeadLetter {
    let record: TopicRecord
    let type: String
    let message: String
    let original: [UInt8]?
    /// The original's full size, where only the beginning of it fits.
    let truncatedFrom: Int64?
    let attemptedOrderID: StrictJSON?
    let originTopic: String
    let originPartition: Int32
    let originOffset: Int64
    let json: StrictJSON

    /// nil where it lacks what every dead letter has; `problem` says what.
    init?(_ record: TopicRecord, problem: inout String) {
        self.record = record
        guard let json = record.value.flatMap({ StrictJSON($0) }) else {
            problem = "is not JSON"
            return nil
        }
        guard let type = json["error_type"]?.string, let message = json["error_message"]?.string, !message.isEmpty,
            let time = json["error_timestamp"]?.string, CivilClock.milliseconds(time) != nil
        else {
            problem = "lacks error_type, error_message or error_timestamp"
            return nil
        }
        switch (json["original_message"], json["original_message_encoding"]?.string) {
        case (.null?, nil): original = nil
        case (.string(let text)?, nil): original = [UInt8](text.utf8)
        case (.string(let text)?, "base64"):
            guard let bytes = Data(base64Encoded: text) else {
                problem = "has an original that is not base64"
                return nil
            }
            original = [UInt8](bytes)
        default:
            problem = "lacks original_message"
            return nil
        }
        for family in ["__streams.errors.", "__connect.errors."] {
            guard record.header(family + "topic") != nil, Int32(record.header(family + "partition") ?? "") != nil,
                Int64(record.header(family + "offset") ?? "") != nil
            else {
                problem = "lacks headers \(family)topic, partition or offset"
                return nil
            }
        }
        guard record.header("__streams.errors.stage") != nil, record.header("__streams.errors.message") == message
        else {
            problem = "lacks headers with stage and message"
            return nil
        }
        truncatedFrom =
            json["original_message_truncated"] == .bool(true) ? json["original_message_bytes"]?.integer ?? -1 : nil
        self.json = json
        self.type = type
        self.message = message
        attemptedOrderID = json["attempted_order_id"]
        originTopic = record.header("__streams.errors.topic") ?? ""
        originPartition = Int32(record.header("__streams.errors.partition") ?? "") ?? -1
        originOffset = Int64(record.header("__streams.errors.offset") ?? "") ?? -1
    }

    /// Whether it holds the value as it was, or as much of it as fits and its size.
    func holds(_ value: [UInt8]?) -> Bool {
        guard let truncatedFrom else { return original == value }
        guard let value, let original, original.count > 10_000, value.count > 100_000 else { return false }
        return value.starts(with: original) && truncatedFrom == Int64(value.count)
    }
}
