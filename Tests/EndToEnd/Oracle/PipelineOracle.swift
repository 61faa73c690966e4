import Foundation

/// What must come out of the order pipeline, computed from what went in: partition by partition, in their order, and in plain ways that
/// share no code with the services.
///
/// Each stage is judged by its input topic as it stands: which record of two partitions came first is nobody's to say, but what a
/// partition holds is. Records are recognised by their timestamps, which no two raw records share and every stage keeps.
struct PipelineOracle {
    struct Options {
        /// A watermark never follows an event time more than an hour ahead of this.
        var nowMilliseconds = Int64(Date().timeIntervalSince1970 * 1_000)
        /// Every topic has one partition, so that even the order of arrival at the anomaly detector is known.
        var isSequential = false
        /// What a broker takes at most.
        var recordBytesMax: Int64 = 1_000_000
        /// What the topic of processed orders takes at most.
        var processedBytesMax: Int64 = 1_000_000
        /// Windows that event time has closed have to be there.
        var expectsClosedWindows = true
    }

    /// Numbers to show, and to check that a run was worth checking.
    struct Tally {
        var forwarded = 0
        var raw = 0
        var processed = 0
        var lettersByType: [String: Int] = [:]
        var windows = 0
        var alertsByType: [String: Int] = [:]
    }

    let contents: PipelineContents
    let options: Options
    var findings = Findings()
    var tally = Tally()
    private var letters: [String: [DeadLetter]] = [:]

    init(_ contents: PipelineContents, options: Options) {
        self.contents = contents
        self.options = options
    }

    /// Checks all stages; the problems are in ``findings``.
    mutating func check() {
        readLetters()
        checkForwarder()
        checkIdentities()
        checkValidator()
        checkEnricher()
        checkDeduplicator()
        checkAggregator()
        checkAnomalies()
        tally.raw = contents[.raw].count
        tally.processed = contents[.processed].count
    }

    func letters(from topic: PipelineTopic) -> [DeadLetter] { letters(of: contents.name(topic)) }
    func letters(of topic: String) -> [DeadLetter] { letters[topic] ?? [] }

    private mutating func readLetters() {
        for record in contents[.dlq] {
            var problem = ""
            guard let letter = DeadLetter(record, problem: &problem) else {
                findings.add("dead letter at \(record.place) \(problem): \(record.valueText)")
                continue
            }
            letters[letter.originTopic, default: []].append(letter)
            tally.lettersByType[letter.type, default: 0] += 1
        }
        let known = Set(
            [PipelineTopic.raw, .validated, .enriched, .processed].map(contents.name) + [contents.changeTopic])
        for topic in letters.keys where !known.contains(topic) {
            findings.add(
                "\(letters[topic]?.count ?? 0) dead letters are of the topic \(topic): \(letters[topic]?.first?.message ?? "")"
            )
        }
    }

    /// The heart of it: every raw record is in exactly one of processed and the dead letters of the first three services.
    private mutating func checkIdentities() {
        var seen: [Int64: Int] = [:]
        for record in contents[.processed] { seen[record.timestampMilliseconds, default: 0] += 1 }
        for topic in [PipelineTopic.raw, .validated, .enriched] {
            for letter in letters(from: topic) { seen[letter.record.timestampMilliseconds, default: 0] += 1 }
        }
        for record in contents[.raw] {
            switch seen.removeValue(forKey: record.timestampMilliseconds) {
            case 1?: continue
            case nil: findings.add("LOST: raw \(record.place): \(record.valueText)")
            case let count?: findings.add("\(count) TIMES: raw \(record.place): \(record.valueText)")
            }
        }
        for (timestamp, count) in seen { findings.add("\(count) records of timestamp \(timestamp) came from nowhere") }
    }

    // MARK: Validator

    private mutating func checkValidator() {
        let validated = indexed(contents[.validated], "validated")
        let refused = indexed(letters(from: .raw).map(\.record), "dead letters of the validator")
        let lettersByTime = Dictionary(
            letters(from: .raw).map { ($0.record.timestampMilliseconds, $0) }, uniquingKeysWith: { first, _ in first })
        for raw in contents[.raw] {
            let time = raw.timestampMilliseconds
            switch OrderRules.verdict(raw.value) {
            case .order(let order):
                guard let record = validated[time] else {
                    findings.add("good, but not validated: \(raw.valueText); \(lettersByTime[time]?.message ?? "")")
                    continue
                }
                findings.expect(
                    record.value == raw.value, "the validator changed \(raw.valueText) to \(record.valueText)")
                findings.expect(record.keyText == order.orderID, "\(record.keyText) is not the key of \(raw.valueText)")
                checkHeaders(of: record, are: raw, "validated")
            case .refused(let type, let fields):
                guard let letter = lettersByTime[time], refused[time] != nil else {
                    findings.add("\(type) of \(fields), but not refused: \(raw.valueText)")
                    continue
                }
                check(letter, of: raw, type: type)
                for field in fields {
                    findings.expect(
                        letter.message.contains(field),
                        "\"\(letter.message)\" does not name \(field) of \(raw.valueText)")
                }
            }
        }
    }

    private mutating func check(_ letter: DeadLetter, of origin: TopicRecord, type: String) {
        findings.expect(
            letter.type == type, "\(letter.type) (\(letter.message)) instead of \(type): \(origin.valueText)")
        findings.expect(
            letter.originPartition == origin.partition && letter.originOffset == origin.offset,
            "dead letter says partition \(letter.originPartition) offset \(letter.originOffset), it is \(origin.place)")
        findings.expect(letter.holds(origin.value), "original of \(origin.place) is not \(origin.valueText)")
        let key = letter.record.key ?? []
        findings.expect(
            letter.record.key == origin.key || key.count > 100_000 && origin.key?.starts(with: key) == true,
            "key \(letter.record.keyText) of the dead letter of \(origin.place)")
        if let identifier = origin.value.flatMap({ StrictJSON($0) })?["order_id"] {
            findings.expect(letter.attemptedOrderID == identifier, "attempted_order_id of \(letter.record.valueText)")
        }
        checkHeaders(of: letter.record, are: origin, "dead letter")
    }

    /// All headers that the origin has are kept.
    private mutating func checkHeaders(of record: TopicRecord, are origin: TopicRecord, _ what: String) {
        for header in origin.headers {
            findings.expect(
                record.header(header.name) == header.value,
                "\(what) at \(record.place) has \(header.name)=\(record.header(header.name) ?? "nothing"), not \(header.value)"
            )
        }
        for name in ["correlation-id", "shop"] where origin.header(name) == nil {
            findings.expect(record.header(name) == nil, "\(what) at \(record.place) has a header \(name) from nowhere")
        }
    }

    // MARK: Enricher

    private mutating func checkEnricher() {
        let inputs = contents.byPartition(.validated)
        let outputs = contents.byPartition(.enriched)
        let tooLarge = letters(from: .validated)
        for letter in tooLarge {
            // What grows beyond the size of a record is the only thing that may end here.
            findings.expect(
                letter.type == "OUTPUT_REFUSED" && letter.truncatedFrom ?? 0 > options.recordBytesMax - 300,
                "the enricher refused \(letter.message): \(letter.record.valueText)")
        }
        let refused = Set(tooLarge.map(\.record.timestampMilliseconds))
        for partition in Set(inputs.keys).union(outputs.keys).sorted() {
            let input = (inputs[partition] ?? []).filter { !refused.contains($0.timestampMilliseconds) }
            let output = outputs[partition] ?? []
            findings.expect(
                input.map(\.timestampMilliseconds) == output.map(\.timestampMilliseconds),
                "partition \(partition): \(input.count) validated, \(output.count) enriched, or in another order")
            for (before, after) in zip(input, output) where before.timestampMilliseconds == after.timestampMilliseconds
            {
                checkEnriched(before, after)
            }
        }
    }

    private mutating func checkEnriched(_ before: TopicRecord, _ after: TopicRecord) {
        findings.expect(before.key == after.key, "key of enriched \(after.place)")
        checkHeaders(of: after, are: before, "enriched")
        guard case .order(let order) = OrderRules.verdict(before.value), let value = before.value,
            let result = after.value,
            case .object(var members)? = StrictJSON(value), let json = StrictJSON(result),
            case .object(let enriched) = json
        else { return findings.add("not readable: \(before.valueText) or \(after.valueText)") }
        var expected = OrderRules.enrichment(of: order)
        guard let processedAt = json["processed_at"]?.string, let time = CivilClock.milliseconds(processedAt),
            let duration = json["processing_duration_ms"]?.integer
        else { return findings.add("times are missing: \(after.valueText)") }
        findings.expect(abs(time - order.timestampMilliseconds - duration) <= 1, "duration of \(after.valueText)")
        expected["processed_at"] = processedAt
        let added = ["region", "tax", "order_value_category", "merchant_id", "processed_at", "processing_duration_ms"]
        let isPlain = !members.contains { added.contains($0.key) }
        for name in added {
            let value =
                name == "processing_duration_ms" ? StrictJSON.number("\(duration)") : .string(expected[name] ?? "")
            if let index = members.firstIndex(where: { $0.key == name }) {
                members[index].value = value
            } else {
                members.append(.init(key: name, value: value))
            }
        }
        findings.expect(members == enriched, "enriched to \(after.valueText), expected \(expected)")
        if isPlain {
            findings.expect(
                result.starts(with: value.dropLast()), "re-encoded: \(before.valueText) to \(after.valueText)")
        }
    }

    // MARK: Deduplicator

    private static let dayMilliseconds: Int64 = 86_400_000

    private mutating func checkDeduplicator() {
        let outputs = contents.byPartition(.processed)
        var refused = Dictionary(grouping: letters(from: .enriched), by: \.record.timestampMilliseconds)
        for (partition, input) in contents.byPartition(.enriched).sorted(by: { $0.key < $1.key }) {
            var watermark = Int64.min
            var seen: [String: [(time: Int64, offset: Int64)]] = [:]
            var passed: [TopicRecord] = []
            for record in input {
                guard let json = record.value.flatMap({ StrictJSON($0) }), let identifier = json["order_id"]?.string,
                    let time = json["timestamp"]?.string.flatMap(CivilClock.milliseconds)
                else { continue }
                if refused[record.timestampMilliseconds]?.first?.type == "OUTPUT_REFUSED" {
                    refused[record.timestampMilliseconds] = nil
                    findings.expect(
                        Int64(record.value?.count ?? 0) > options.processedBytesMax - 300,
                        "not too large: \(record.place)")
                    continue
                }
                let limit = watermark == .min ? .min : watermark - Self.dayMilliseconds
                let known = seen[identifier, default: []].filter { $0.time > limit }
                if let first = known.first(where: { abs($0.time - time) <= Self.dayMilliseconds }) {
                    guard let letter = refused.removeValue(forKey: record.timestampMilliseconds)?.first else {
                        findings.add("a repeat was not refused: \(record.place) \(record.valueText)")
                        continue
                    }
                    check(letter, of: record, type: "DUPLICATE")
                    findings.expect(
                        letter.json["first_topic"]?.string == contents.name(.enriched)
                            && letter.json["first_partition"]?.integer == Int64(partition)
                            && letter.json["first_offset"]?.integer == first.offset,
                        "first seen at offset \(first.offset) of partition \(partition): \(letter.record.valueText)")
                } else {
                    if time > limit { seen[identifier] = known + [(time, record.offset)] }
                    passed.append(record)
                }
                if time > watermark, time <= options.nowMilliseconds + 3_600_000 { watermark = time }
            }
            let output = outputs[partition] ?? []
            findings.expect(
                passed.map(\.timestampMilliseconds) == output.map(\.timestampMilliseconds),
                "partition \(partition): \(passed.count) have to pass the deduplicator, \(output.count) did, or in another order"
            )
            for (before, after) in zip(passed, output) where before.timestampMilliseconds == after.timestampMilliseconds
            {
                findings.expect(
                    before.value == after.value && before.key == after.key,
                    "the deduplicator changed \(before.valueText)")
                checkHeaders(of: after, are: before, "processed")
            }
        }
        for letter in refused.values.joined() {
            findings.add("the deduplicator refused what is no repeat: \(letter.message) \(letter.record.valueText)")
        }
    }

    /// By timestamp; none may be there twice.
    private mutating func indexed(_ records: [TopicRecord], _ what: String) -> [Int64: TopicRecord] {
        Dictionary(records.map { ($0.timestampMilliseconds, $0) }) { first, second in
            findings.add("\(what) twice: \(first.place) and \(second.place): \(first.valueText)")
            return first
        }
    }
}
