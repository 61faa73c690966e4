import Foundation
import Kafka
import enum StreamKit.Murmur2

/// The pipeline without Kafka, threads or faults, as the oracle's tests need it. It is no model of the services: it is only good
/// enough that the oracle has something to look at.
struct PerfectPipeline {
    let partitions: Int32
    private let processedAt: Int64 = 1_800_000_000_000

    func run(_ raw: [RawRecord]) -> PipelineContents {
        var contents = PipelineContents(prefix: "played")
        var output = Output(partitions: partitions)
        for record in raw {
            output.add(
                .raw, record.partition, record.timestampMilliseconds, record.key, record.value, record.headers)
        }
        contents[.raw] = output[.raw]
        for record in contents[.raw] {
            switch OrderRules.verdict(record.value) {
            case .order(let order):
                let key = [UInt8](order.orderID.utf8)
                output.add(
                    .validated, output.partition(key), record.timestampMilliseconds, key, record.value, record.headers)
            case .refused(let type, let fields):
                output.letter(record, "played.raw", type, fields.joined(separator: " and ") + " wrong")
            }
        }
        contents[.validated] = output[.validated]
        for record in contents[.validated] {
            output.add(
                .enriched, record.partition, record.timestampMilliseconds, record.key, enriched(record), record.headers)
        }
        contents[.enriched] = output[.enriched]
        deduplicate(contents[.enriched], &output)
        contents[.processed] = output[.processed]
        aggregate(contents[.processed], &output)
        contents[.aggregations] = output[.aggregations]
        detect(contents[.processed], &output)
        contents[.anomalies] = output[.anomalies]
        contents[.dlq] = output[.dlq]
        return contents
    }

    private struct Output {
        let partitions: Int32
        private var records: [PipelineTopic: [TopicRecord]] = [:]
        private var ends: [String: Int64] = [:]

        init(partitions: Int32) { self.partitions = partitions }

        subscript(_ topic: PipelineTopic) -> [TopicRecord] { records[topic] ?? [] }

        func partition(_ key: [UInt8]) -> Int32 { key.withUnsafeBytes { Murmur2.partition(of: $0, among: partitions) } }

        mutating func add(
            _ topic: PipelineTopic, _ partition: Int32, _ time: Int64, _ key: [UInt8]?, _ value: [UInt8]?,
            _ headers: [(name: String, value: String)]
        ) {
            let offset = ends["\(topic) \(partition)", default: 0]
            ends["\(topic) \(partition)"] = offset + 1
            records[topic, default: []].append(
                TopicRecord(
                    partition: partition, offset: offset, timestampMilliseconds: time, key: key, value: value,
                    headers: headers))
        }

        mutating func letter(
            _ record: TopicRecord, _ topic: String, _ type: String, _ message: String, _ more: String = ""
        ) {
            var headers = record.headers
            for family in ["__streams.errors.", "__connect.errors."] {
                headers += [
                    (family + "topic", topic), (family + "partition", "\(record.partition)"),
                    (family + "offset", "\(record.offset)"), (family + "stage", "played"),
                    (family + "message", message),
                ]
            }
            let original = record.value.map { "\"\(Data($0).base64EncodedString())\"" } ?? "null"
            let encoding = record.value == nil ? "" : #","original_message_encoding":"base64""#
            let identifier = record.value.flatMap { StrictJSON($0) }?["order_id"].map(Self.text) ?? "null"
            let value =
                #"{"original_message":\#(original)\#(encoding),"error_type":"\#(type)","error_message":"\#(message)","#
                + #""error_timestamp":"2025-01-13T15:30:46.234Z","attempted_order_id":\#(identifier)\#(more)}"#
            add(.dlq, 0, record.timestampMilliseconds, record.key, [UInt8](value.utf8), headers)
        }

        private static func text(_ json: StrictJSON) -> String {
            switch json {
            case .string(let text): "\"\(text)\""
            case .number(let text): text
            default: "null"
            }
        }
    }

    private func enriched(_ record: TopicRecord) -> [UInt8] {
        guard case .order(let order) = OrderRules.verdict(record.value) else { return [] }
        let fields = OrderRules.enrichment(of: order)
        var text = record.valueText
        let added: [(String, String)] = ["region", "tax", "order_value_category", "merchant_id"].map {
            ($0, "\"\(fields[$0] ?? "")\"")
        }
        for (name, value) in added + [
            ("processed_at", "\"\(CivilClock.text(processedAt))\""),
            ("processing_duration_ms", "\(processedAt - order.timestampMilliseconds)"),
        ] {
            let old = text.range(of: "\"\(name)\":(\"[^\"]*\"|null)", options: .regularExpression)
            if let old {
                text.replaceSubrange(old, with: "\"\(name)\":\(value)")
            } else {
                text = text.dropLast() + ",\"\(name)\":\(value)}"
            }
        }
        return [UInt8](text.utf8)
    }

    private func deduplicate(_ records: [TopicRecord], _ output: inout Output) {
        var seen: [String: [(time: Int64, offset: Int64)]] = [:]
        var watermarks: [Int32: Int64] = [:]
        for record in records {
            guard case .order(let order) = OrderRules.verdict(record.value) else { continue }
            let time = order.timestampMilliseconds
            let watermark = watermarks[record.partition] ?? -9_000_000_000_000
            seen[order.orderID]?.removeAll { $0.time <= watermark - 86_400_000 }
            if let first = seen[order.orderID]?.first(where: { abs($0.time - time) <= 86_400_000 }) {
                output.letter(
                    record, "played.enriched", "DUPLICATE", "seen",
                    #","first_topic":"played.enriched","first_partition":\#(record.partition),"first_offset":\#(first.offset)"#
                )
            } else {
                if time > watermark - 86_400_000 { seen[order.orderID, default: []].append((time, record.offset)) }
                output.add(
                    .processed, record.partition, record.timestampMilliseconds, record.key, record.value, record.headers
                )
            }
            if time < processedAt { watermarks[record.partition] = max(watermark, time) }
        }
    }

    private func aggregate(_ records: [TopicRecord], _ output: inout Output) {
        var windows: [String: [Int64: [Decimal]]] = [:]
        var watermarks: [Int32: Int64] = [:]
        for record in records {
            guard case .order(let order) = OrderRules.verdict(record.value),
                let region = record.value.flatMap({ StrictJSON($0) })?["region"]?.string
            else { continue }
            let time = order.timestampMilliseconds
            let watermark = watermarks[record.partition] ?? .min
            let start = Int64((Double(time) / 300_000).rounded(.down)) * 300_000
            if watermark != .min, start + 900_000 <= watermark {
                output.letter(record, "played.processed", "LATE", "late")
            } else {
                windows[region, default: [:]][start, default: []].append(order.amount)
            }
            if time < processedAt { watermarks[record.partition] = max(watermark, time) }
        }
        let least = watermarks.values.min() ?? .min
        for (region, windows) in windows {
            for (start, amounts) in windows where start + 900_000 <= least {
                let total = amounts.reduce(0, +)
                let value =
                    #"{"region":"\#(region)","total_orders":\#(amounts.count),"total_amount":"\#(OrderRules.rounded(total))","#
                    + #""avg_order_value":"\#(OrderRules.rounded(total / Decimal(amounts.count)))","#
                    + #""max_order_value":"\#(amounts.max() ?? 0)","window_start":"\#(CivilClock.text(start))","#
                    + #""window_end":"\#(CivilClock.text(start + 300_000))","processing_timestamp_ms":1}"#
                output.add(.aggregations, 0, start + 300_000, [UInt8](region.utf8), [UInt8](value.utf8), [])
            }
        }
    }

    private func detect(_ records: [TopicRecord], _ output: inout Output) {
        var orders: [String: [ValidOrder]] = [:]
        var alerts: [String: [Int64]] = [:]
        for record in records {
            guard case .order(let order) = OrderRules.verdict(record.value) else { continue }
            let customer = order.customerID
            func alert(_ type: String, _ severity: String, _ orders: [ValidOrder]) {
                let identifiers = orders.map { "\"\($0.orderID)\"" }.joined(separator: ",")
                let value =
                    #"{"alert_id":"1","customer_id":"\#(customer)","anomaly_type":"\#(type)","severity":"\#(severity)","#
                    + #""description":"d","detected_at":"2025-01-13T15:30:46.234Z","order_ids":[\#(identifiers)]}"#
                output.add(.anomalies, 0, 0, [UInt8](customer.utf8), [UInt8](value.utf8), [])
            }
            if order.amount > 1_000 { alert("LARGE_ORDER", "medium", [order]) }
            let amounts = (orders[customer] ?? []).map { NSDecimalNumber(decimal: $0.amount).doubleValue }
            if amounts.count >= 10 {
                let mean = amounts.reduce(0, +) / Double(amounts.count)
                let variance = amounts.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(amounts.count - 1)
                let distance = abs(NSDecimalNumber(decimal: order.amount).doubleValue - mean)
                if variance > 0, distance > 3 * variance.squareRoot() { alert("STATISTICAL_OUTLIER", "high", [order]) }
            }
            orders[customer, default: []].append(order)
            for burst in PipelineOracle.Burst.all {
                let name = customer + burst.type
                let time = order.timestampMilliseconds
                if alerts[name]?.contains(where: { abs($0 - time) < burst.spanMilliseconds }) == true { continue }
                let sorted = (orders[customer] ?? []).sorted { $0.timestampMilliseconds < $1.timestampMilliseconds }
                for first in sorted.map(\.timestampMilliseconds)
                where first <= time && time - first <= burst.spanMilliseconds {
                    let group = sorted.filter {
                        (0...burst.spanMilliseconds).contains($0.timestampMilliseconds - first)
                    }
                    if group.count >= burst.count {
                        alerts[name, default: []].append(time)
                        alert(burst.type, burst.severity, group)
                        break
                    }
                }
            }
        }
    }
}
