import XCTest

/// What `--check` says of files with mistakes in settings, schema and expressions: all of it at once, each with its place.
final class CheckTests: XCTestCase {
    private let common = """
        application: a
        input: in
        output: {topic: out, partitions: 0}
        dead_letters: {topic: dlq, partitions: 1}

        """

    /// The problems of `common` and the lines after it, without the heading and the mistake that `common` has.
    private func problems(_ service: String, _ yaml: String, _ files: [String: String] = [:]) throws -> [String] {
        let folder = try TemporaryFolder()
        for (name, text) in files { try folder.write(name, text) }
        let check = try Check(service, try folder.write("s.yaml", common + yaml), in: folder)
        XCTAssertEqual(check.code, 78)
        let mistake = "  s.yaml:3:34: output.partitions: must be a whole number from 1 to 100000, not 0"
        XCTAssertTrue(check.lines.contains(mistake), "\(check.lines)")
        return check.lines.dropFirst().filter { $0 != mistake }
    }

    func testValidatorWithASchemaInline() throws {
        XCTAssertEqual(
            try problems(
                "validator",
                """
                record: {amount: dyn, currency: string}
                key: curency
                schema:
                  type: object
                  properties:
                    amount: {type: numbr}
                    currency:
                      pattern: "(?=E)EUR"
                rules:
                  - field: amount
                    require: decimal(amount) >
                    message: must be more
                  - field: currency
                    require: >
                      currency ==
                      7
                    message: must be seven
                """),
            [
                "  s.yaml:6:6: key: 1:1: 'curency' is neither a field of record nor a declared name; did you mean 'currency'?",
                "   | curency", "   | ^",
                "  s.yaml:10:20: schema: #/properties/amount/type: type must be one of null, boolean, integer, number, "
                    + "string, array, object, or a list of them",
                "  s.yaml:12:16: schema: #/properties/currency/pattern: the pattern (?=E)EUR cannot be used: look-around "
                    + "cannot be searched for in linear time: state it as a further rule at character 0 of the pattern",
                "  s.yaml:15:14: rules[0].require: 1:18: expected an expression, found the end of the expression",
                "   | decimal(amount) >", "   |                  ^",
                "  s.yaml:18:14: rules[1].require: 1:10: there is no string == int", "   | currency == 7",
                "   |          ^",
            ])
    }

    func testValidatorWithASchemaBesideIt() throws {
        let files = [
            "order schema.json": """
            {
              "properties": {
                "amount": {"minimum": "5"},
                "region": {"$ref": "parts.json#/$defs/region"},
                "status": {"$ref": "#/$defs/none"}
              }
            }
            """,
            "parts.json": """
            {"$defs": {
              "region": {"enum": "eu"}
            }}
            """,
        ]
        XCTAssertEqual(
            try problems("validator", "schema: {file: order schema.json}", files),
            [
                "  order schema.json:3:27: schema: #/properties/amount/minimum: minimum must be a number",
                "  order schema.json:5:24: schema: #/properties/status/$ref: #/$defs/none leads nowhere",
                "  parts.json:2:22: schema: #/$defs/region/enum: enum must be a list of values",
            ])
        XCTAssertEqual(
            try problems("validator", "schema: {file: none.json}"),
            ["  s.yaml:5:9: schema: none.json: No such file or directory"])
        XCTAssertEqual(
            try problems("validator", "schema: {file: broken.json}", ["broken.json": "{\n  \"type\": }"]).map {
                $0.replacingOccurrences(of: "file://", with: "")
            },
            [
                "  s.yaml:5:9: schema: broken.json: the schema is not JSON: expected a value, found '}' at line 2, column 11"
            ])
    }

    /// A misspelt keyword would never be noticed otherwise: the schema simply does not ask for what it was meant to.
    func testKeywordsWithoutEffectAreWarnedOf() throws {
        let files = [
            "order.schema.json": """
            {
              "properties": {
                "amount": {"minimun": 5},
                "region": {"$ref": "parts.json#/$defs/region"},
                "country": {"$ref": "parts.json#/$defs/region"}
              },
              "requierd":
                ["amount"]
            }
            """,
            "parts.json": """
            {"$defs": {
              "region": {"title": "Where", "enums": ["eu"]}
            }}
            """,
        ]
        let folder = try TemporaryFolder()
        for (name, text) in files { try folder.write(name, text) }
        let head = """
            application: a
            input: in
            output: out
            dead_letters: {topic: dlq}

            """
        let inFiles = try Check(
            "validator", try folder.write("s.yaml", head + "schema: {file: order.schema.json}\n"), in: folder)
        XCTAssertEqual(inFiles.code, 0)
        XCTAssertEqual(
            inFiles.lines,
            [
                "warning: order.schema.json:3:16: schema: #/properties/amount/minimun: unknown keyword minimun: it has no effect",
                "warning: order.schema.json:7:3: schema: #/requierd: unknown keyword requierd: it has no effect",
                "warning: parts.json:2:32: schema: #/$defs/region/enums: unknown keyword enums: it has no effect",
            ])
        let inline = try Check(
            "validator",
            try folder.write("s.yaml", head + "schema:\n  type: object\n  properties:\n    amount: {maximun: 5}\n"),
            in: folder)
        XCTAssertEqual(inline.code, 0)
        XCTAssertEqual(
            inline.lines,
            [
                "warning: s.yaml:8:14: schema: #/properties/amount/maximun: unknown keyword maximun: it has no effect"
            ])
    }

    func testEnricher() throws {
        XCTAssertEqual(
            try problems(
                "enricher",
                """
                record: {amount: strin, id: string}
                fields:
                  a: id + 1
                  "b.c": a + missing
                """),
            [
                "  s.yaml:5:18: record.amount: strin is no type; types are string, int, double, bool, dyn, list(string), ...",
                "  s.yaml:7:6: fields.a: 1:4: there is no string + int", "   | id + 1", "   |    ^",
                "  s.yaml:8:10: fields.b.c: 1:5: 'missing' is neither a field of record nor a declared name",
                "   | a + missing", "   |     ^",
            ])
    }

    func testTopicChoice() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write(
            "s.yaml",
            """
            application: a
            input: in
            output: {topics: [eu, us, eu], topic: 'region == 1 ? "eu" : 7'}
            dead_letters: {topic: dlq, partitions: 1}
            record: {region: string}
            """)
        let check = try Check("enricher", file, in: folder)
        XCTAssertEqual(check.code, 78)
        XCTAssertEqual(
            check.lines.filter { $0.hasPrefix("  s.yaml") },
            [
                "  s.yaml:3:18: output.topics: names a topic twice",
                "  s.yaml:3:39: output.topic: 1:8: there is no string == int",
            ])
    }

    func testEveryOtherServiceSaysWhichExpressionIsWrong() throws {
        let cases: [(service: String, yaml: String, wrong: [String])] = [
            (
                "cdc-forwarder", "where: op = 1\nkey: after +\nfields: {a: after.b.c(}\n",
                ["where", "key", "fields.a"]
            ),
            (
                "deduplicator", "record: {id: string}\nkey: ide\nevent_time: timestamp(id\nwithin: 1h\n",
                ["key", "event_time"]
            ),
            (
                "aggregator",
                """
                record: {id: string}
                group_by: {g: ide}
                event_time: 'timestamp('
                window: {tumbling: 1m}
                aggregates: {s: {sum: decimal(amount), scale: 2}}
                """, ["group_by.g", "event_time", "aggregates.s.sum"]
            ),
            (
                "anomaly-detector",
                """
                record: {id: string}
                key: ide
                id: id +
                event_time: '5 +'
                amount: 'true'
                rules:
                  LARGE: {when: amount > 5, severity: low, description: d}
                """, ["key", "id", "event_time", "amount", "rules.LARGE.when"]
            ),
        ]
        for (service, yaml, wrong) in cases {
            let problems = try problems(service, yaml).filter {
                $0.hasPrefix("  s.yaml:") && !$0.contains("unknown key")
            }
            let keys = problems.compactMap { $0.split(separator: " ").dropFirst().first?.dropLast() }.map(String.init)
            XCTAssertEqual(keys, wrong, "\(service): \(problems)")
        }
    }
}
