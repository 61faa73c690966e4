import ChangeData
import Foundation
import JSON
import XCTest

/// What Debezium 3.6.3 wrote of a real PostgreSQL, in each of its modes: the same statements, so that the rows must come out equal.
///
/// `STREAMKIT_DATA` names the folder that holds `debezium/*.ndjson.gz`.
final class DebeziumCorpusTests: XCTestCase {
    private struct Row: Equatable {
        let table: String
        let operation: ChangeOperation
        let before: String
        let after: String

        func replacing(_ text: String, with other: String) -> Row {
            Row(
                table: table, operation: operation, before: before.replacingOccurrences(of: text, with: other),
                after: after.replacingOccurrences(of: text, with: other))
        }
    }

    /// `timestamp(n)` columns of up to 3 digits are counted in milliseconds; only a schema says so.
    private static let times: [String: ColumnEncoding] = [
        "updated_at": .timestamp(.microseconds), "created_at": .timestamp(.microseconds),
        "at": .timestamp(.microseconds),
        "moved_at": .timestamp(.microseconds), "type_zoo.dt": .date, "type_zoo.t": .timeOfDay(.microseconds),
        "type_zoo.t3": .timeOfDay(.milliseconds), "type_zoo.ts": .timestamp(.microseconds),
        "type_zoo.ts0": .timestamp(.milliseconds), "type_zoo.ts3": .timestamp(.milliseconds),
        "type_zoo.tstz": .timestamp(.microseconds),
    ]
    private static let textDecimals: [String: ColumnEncoding] = [
        "amount": .decimal(scale: nil), "price": .decimal(scale: nil), "unit_price": .decimal(scale: nil),
        "n_plain": .decimal(scale: nil), "n38": .decimal(scale: nil), "n_int": .decimal(scale: nil),
        "m": .decimal(scale: nil), "na": .array(of: .decimal(scale: nil)),
    ]
    private static let preciseDecimals: [String: ColumnEncoding] = [
        "amount": .decimal(scale: 2), "price": .decimal(scale: 2), "unit_price": .decimal(scale: 2),
        "n_plain": .decimal(scale: nil), "n38": .decimal(scale: 10), "n_int": .decimal(scale: 0),
        "m": .decimal(scale: 2), "na": .array(of: .decimal(scale: 2)),
    ]

    func testEveryModeGivesTheSameRows() throws {
        let text = try rows("string_noschema", Self.textDecimals)
        XCTAssertEqual(text.count, 144, "records on tables' topics")
        try assertEqual(rows("string_schema", [:]), text, "schema instead of configuration")
        // In its ISO mode Debezium takes 24:00:00 for midnight.
        let midnight = text.map { $0.replacing("24:00:00", with: "00:00:00") }
        try assertEqual(rows("string_noschema_time_isostring", Self.textDecimals), midnight, "ISO strings")
        // Later rows of `orders` have a scale of 4, which their bytes do not tell: the very reason to prefer text.
        let untilChange = text.prefix { !$0.after.contains("ALTER-3") }
        let precise = try rows("precise_noschema", Self.preciseDecimals)
        XCTAssertEqual(precise.count, text.count)
        try assertEqual(Array(precise.prefix(untilChange.count)), Array(untilChange), "base64")
    }

    func testFloatDecimalsAreEqualAsFarAsFloatsReach() throws {
        let exact = try rows("string_noschema", Self.textDecimals)
        var columns = Self.textDecimals
        for column in ["amount", "price", "unit_price"] { columns[column] = .decimal(scale: 2) }
        let floats = try rows("double_noschema", columns)
        XCTAssertEqual(floats.count, exact.count)
        // From ALTER-3 on the column has a scale of 4.
        for (float, exact) in zip(floats, exact) where exact.table == "orders" {
            if exact.after.contains("ALTER-3") { break }
            XCTAssertEqual(float, exact)
        }
    }

    func testNamesOfNoNumbers() throws {
        let rows = try rows("nan_string", Self.textDecimals)
        XCTAssertEqual(rows.count, 5)
        XCTAssertTrue(rows[1].after.contains(#""amount":"NaN""#), rows[1].after)
        XCTAssertTrue(rows[2].after.contains(#""n_plain":"Infinity""#), rows[2].after)
    }

    func testEveryKindOfEventIsThere() throws {
        var operations: [ChangeOperation: Int] = [:]
        var unavailable = 0
        try forEachRecord("string_schema") { topic, value in
            if topic.hasSuffix(".transaction") {
                XCTAssertThrowsError(try self.decode(value, [:]) { _ in })
                return
            }
            try decode(value, [:]) { event in
                operations[event.operation, default: 0] += 1
                let output = OutputBuffer()
                try event.write(into: output)
                let record = JSONRecord()
                try record.read(output.bytes)
                unavailable += record.field(named: "unavailable")?.count ?? 0
                if event.operation == .message { XCTAssertNil(event.table) }
                if event.operation == .read { XCTAssertTrue(event.isSnapshot) }
                if event.operation == .create { XCTAssertFalse(event.isSnapshot) }
            }
        }
        XCTAssertEqual(
            operations,
            [.create: 57, .read: 28, .update: 28, .delete: 14, .tombstone: 14, .truncate: 3, .message: 2])
        XCTAssertEqual(unavailable, 2, "TOASTed values that an update left alone")
    }

    func testReplayingTheLargeStreamGivesTheTable() throws {
        var orders: [Int64: (amount: String, status: String)] = [:]
        let output = OutputBuffer()
        let record = JSONRecord()
        let started = ContinuousClock.now
        var count = 0
        try forEachRecord("large_precise_noschema", topic: "dbserver1.public.orders\"") { _, value in
            try decode(value, Self.preciseDecimals) { event in
                count += 1
                if event.operation == .truncate { orders.removeAll() }
                let side = event.operation == .delete ? ChangeSide.before : .after
                guard event.rawRow(side) != nil else { return }
                output.removeAll()
                try event.writeRow(side, into: output)
                try record.read(output.bytes)
                let id = try XCTUnwrap(record.field(named: "id")?.int64)
                if event.operation == .delete {
                    orders[id] = nil
                } else {
                    orders[id] = (
                        try XCTUnwrap(record.field(named: "amount")?.string?.string),
                        try XCTUnwrap(record.field(named: "status")?.string?.string)
                    )
                }
            }
        }
        print("replayed \(count) change events of orders in \(ContinuousClock.now - started)")
        let table = try lines("large_final_orders.csv").dropFirst().map {
            String(decoding: $0, as: UTF8.self).split(separator: ",", omittingEmptySubsequences: false)
        }
        XCTAssertEqual(table.count, 19_878)
        XCTAssertEqual(orders.count, table.count)
        for row in table {
            let order = orders[Int64(row[0]) ?? -1]
            XCTAssertEqual(order?.amount, String(row[3]))
            XCTAssertEqual(order?.status, String(row[5]))
        }
    }

    // MARK: Reading the corpus

    private var decoders: [String: DebeziumDecoder] = [:]

    private func decode(
        _ value: String?, _ columns: [String: ColumnEncoding], _ body: (ChangeEvent) throws -> Void
    ) throws {
        let decoder: DebeziumDecoder
        if let known = decoders[columns.description] {
            decoder = known
        } else {
            var options = DebeziumDecoder.Options()
            options.columns = columns
            decoder = DebeziumDecoder(options)
            decoders[columns.description] = decoder
        }
        guard let value else { return try body(try decoder.decode(nil)) }
        try Array(value.utf8).withUnsafeBytes { try body(try decoder.decode($0)) }
    }

    private func rows(_ file: String, _ decimals: [String: ColumnEncoding]) throws -> [Row] {
        // With a schema, nothing needs to be configured.
        let columns = file == "string_schema" ? Self.textDecimals : decimals.merging(Self.times) { first, _ in first }
        var rows: [Row] = []
        try forEachRecord(file) { topic, value in
            guard topic.contains(".public.") else { return }
            try decode(value, columns) { event in
                func row(_ side: ChangeSide) throws -> String {
                    let output = OutputBuffer()
                    try event.writeRow(side, into: output)
                    return Self.withoutSerialTimes(String(decoding: output.bytes, as: UTF8.self))
                }
                rows.append(
                    Row(
                        table: event.table ?? "", operation: event.operation, before: try row(.before),
                        after: try row(.after)))
            }
        }
        return rows
    }

    /// ISO strings have a fixed number of digits, numbers only those they need.
    private static func withoutSerialTimes(_ row: String) -> String {
        row.replacingOccurrences(of: #"(:\d\d)\.0+(Z?")"#, with: "$1$2", options: .regularExpression)
            .replacingOccurrences(of: #"(:\d\d\.\d*[1-9])0+(Z?")"#, with: "$1$2", options: .regularExpression)
            .replacingOccurrences(of: #""([-+])0*(\d{4,}-\d\d-\d\d)"#, with: #""$1$2"#, options: .regularExpression)
    }

    private func assertEqual(_ rows: [Row], _ expected: [Row], _ what: String) throws {
        XCTAssertEqual(rows.count, expected.count, what)
        for (row, expected) in zip(rows, expected) where row != expected {
            return XCTFail("\(what): \(row) is not \(expected)")
        }
    }

    private func forEachRecord(
        _ file: String, topic only: String? = nil, _ body: (_ topic: String, _ value: String?) throws -> Void
    ) throws {
        let record = JSONRecord()
        let start = Array(#"{"topic":"\#(only ?? "")"#.utf8)
        for line in try lines("\(file).ndjson") where line.starts(with: start) {
            let (topic, value) = try line.withUnsafeBytes { bytes in
                try record.read(bytes)
                return (record.field(named: "topic")?.string?.string, record.field(named: "value")?.string?.string)
            }
            try body(try XCTUnwrap(topic), value)
        }
    }

    private func lines(_ name: String) throws -> [ArraySlice<UInt8>] {
        guard let folder = ProcessInfo.processInfo.environment["STREAMKIT_DATA"], !folder.isEmpty else {
            FileHandle.standardError.write(
                Data("LEFT OUT: \(self.name): STREAMKIT_DATA names no folder with debezium/*.ndjson.gz\n".utf8))
            throw XCTSkip("STREAMKIT_DATA is not set")
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/gzip")
        process.arguments = ["-dc", "\(folder)/debezium/\(name).gz"]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        XCTAssertEqual(process.terminationStatus, 0, "gzip -dc \(name).gz")
        return [UInt8](data).split(separator: UInt8(ascii: "\n"))
    }
}
