import StreamKitService
import XCTest
import YAML

final class SettingsReaderTests: XCTestCase {
    private enum Store: String, CaseIterable { case memory, rocksdb }

    private struct Settings {
        let input: String
        let interval: Duration
        let threads: Int
        let buffer: Int
        let isStrict: Bool
        let store: Store
        let late: String?
        let regions: [String]
        let rates: [String]
        let rules: [(name: String, when: String)]

        init(_ reader: SettingsReader) {
            input = reader.required("input", .topicName)
            interval = reader.value(
                "commit.interval", .duration(in: .milliseconds(1)...(.seconds(60))), default: .milliseconds(100))
            threads = reader.value("threads", .integer(in: 1...64), default: 1)
            buffer = reader.value("buffer", .byteSize(in: 1_024...(1 << 30)), default: 1 << 20)
            isStrict = reader.value("strict", .boolean, default: true)
            store = reader.value("store", .word(Store.self), default: .memory)
            late = reader.optional("late", .topicName)
            regions = reader.list("regions", .text)
            rates = reader.entries("rates", .text).map { "\($0.key)=\($0.value)" }
            rules = reader.sections("rules").map { ($0.required("name", .text), $0.required("when", .text)) }
        }
    }

    func testValuesOfTheFile() throws {
        let yaml = """
            input: ${PREFIX:-shop}.raw
            commit: {interval: 2s}
            threads: 4
            buffer: 64KiB
            strict: false
            store: rocksdb
            late: ~
            regions: [us, "eu", no]
            rates: {us: 0.080, eu: "0.19"}
            rules:
              - {name: big, when: amount > 5}
              - name: small
                when: |
                  amount < 1
            """
        let settings = try read(yaml) { Settings($0) }.settings
        XCTAssertEqual(settings.input, "shop.raw")
        XCTAssertEqual(settings.interval, .seconds(2))
        XCTAssertEqual(settings.threads, 4)
        XCTAssertEqual(settings.buffer, 65_536)
        XCTAssertFalse(settings.isStrict)
        XCTAssertEqual(settings.store, .rocksdb)
        XCTAssertNil(settings.late)
        XCTAssertEqual(settings.regions, ["us", "eu", "no"])
        XCTAssertEqual(settings.rates, ["us=0.080", "eu=0.19"])
        XCTAssertEqual(settings.rules.map(\.name), ["big", "small"])
        XCTAssertEqual(settings.rules.map(\.when), ["amount > 5", "amount < 1"])
    }

    func testMissingKeysTakeDefaults() throws {
        let settings = try read("input: a") { Settings($0) }.settings
        XCTAssertEqual(settings.interval, .milliseconds(100))
        XCTAssertEqual(settings.threads, 1)
        XCTAssertTrue(settings.isStrict)
        XCTAssertNil(settings.late)
        XCTAssertEqual(settings.regions, [])
    }

    func testEveryErrorAtOnceWithItsPlace() {
        let yaml = """
            inptu: orders
            commit:
              interval: 100
              intervall: 5s
            threads: "4"
            buffer: 64 parsecs
            strict: yes
            store: rocksbd
            late: {a: 1}
            regions: us
            rates: [1]
            rules:
              - name: x
                wehn: y
              - 5
            pretty: true
            """
        let expected = """
            15 errors in the configuration:
              s.yaml:1:1: input: is missing; must be a topic name (letters, digits, '.', '_' and '-', at most 249)
              s.yaml:1:1: inptu: unknown key; did you mean input?
              s.yaml:3:13: commit.interval: must be a duration from 1ms to 1m, not 100; add a unit, as in 100ms, 10s, 5m, 24h or 7d
              s.yaml:4:3: commit.intervall: unknown key; known here: interval
              s.yaml:5:10: threads: must be a whole number from 1 to 64, not "4"; remove the quotes
              s.yaml:6:9: buffer: must be a size from 1KiB to 1GiB, not "64 parsecs"; "parsecs" is no unit; write a whole number and \
            TiB, GiB, MiB, KiB, TB, GB, MB, kB, KB or B
              s.yaml:7:9: strict: must be true or false, not "yes"; write true, without quotes
              s.yaml:8:8: store: must be memory or rocksdb, not "rocksbd"; did you mean rocksdb?
              s.yaml:9:7: late: must be a topic name (letters, digits, '.', '_' and '-', at most 249), not a mapping
              s.yaml:10:10: regions: must be a list of text, not "us"
              s.yaml:11:8: rates: must be a mapping, not a list
              s.yaml:13:5: rules[0].when: is missing; must be text
              s.yaml:14:5: rules[0].wehn: unknown key; did you mean when?
              s.yaml:15:5: rules[1]: must be a mapping, not 5
              s.yaml:16:1: pretty: unknown key; known here: buffer, commit, input, late, rates, regions, rules, store, strict, threads
            """
        XCTAssertThrowsError(try read(yaml) { Settings($0) }) { error in
            XCTAssertEqual("\(error)", expected)
        }
    }

    func testRangesAreInclusiveAndNamed() {
        func threads(_ text: String) -> [String] { problems("input: a\nthreads: \(text)") { Settings($0) } }
        XCTAssertEqual(threads("1"), [])
        XCTAssertEqual(threads("64"), [])
        for text in ["0", "65", "-1", "1.0", "9223372036854775808", "99999999999999999999", "true", "x", "[1]"] {
            let found = threads(text)
            XCTAssertEqual(found.count, 1, text)
            XCTAssertTrue(found.first?.contains("must be a whole number from 1 to 64, not ") ?? false, text)
        }
    }

    func testAnEmptyValueIsNotADefault() {
        XCTAssertEqual(
            problems("input: a\nthreads:\ncommit:\n") { Settings($0) },
            ["s.yaml:2:9: threads: has no value; must be a whole number from 1 to 64, or remove the key"])
        XCTAssertEqual(
            problems("input: ''") { Settings($0) },
            ["s.yaml:1:8: input: must be a topic name (letters, digits, '.', '_' and '-', at most 249), not \"\""])
    }

    func testOverridesReplaceAndAdd() throws {
        let yaml = "input: a\ncommit: {interval: 1s}\nthreads: 2"
        let overrides = ["commit.interval=5ms", "late=b", "strict=false", "threads=9"]
        let settings = try read(yaml, overrides: overrides) { Settings($0) }.settings
        XCTAssertEqual(settings.interval, .milliseconds(5))
        XCTAssertEqual(settings.late, "b")
        XCTAssertEqual(settings.threads, 9)
        XCTAssertFalse(settings.isStrict)
        XCTAssertEqual(
            try read("input: a", overrides: ["commit.interval=5ms"]) { Settings($0) }.settings.interval,
            .milliseconds(5))
    }

    func testOverridesAreCheckedAsTheFileIs() {
        let overrides = ["commit.interval=soon", "treads=2", "nonsense", "=1", "input.deeper=1", "regions=x"]
        XCTAssertEqual(
            problems("input: a\nregions: [b]", overrides: overrides) { Settings($0) },
            [
                "--set =1: must be KEY=VALUE, as in commit.interval=10ms",
                "--set commit.interval: commit.interval: must be a duration from 1ms to 1m, not \"soon\"; "
                    + "write a whole number and a unit, such as 100ms, 10s, 5m, 24h or 7d",
                "--set input.deeper: input.deeper: the file has \"a\" at s.yaml:1:8, where this needs a mapping",
                "--set nonsense: must be KEY=VALUE, as in commit.interval=10ms",
                "--set regions: regions: the file has a list at s.yaml:2:10; --set replaces single values",
                "--set treads: treads: unknown key; did you mean threads?",
            ])
    }

    func testCompiledValuesReportWhatTheCompilerSays() {
        struct SyntaxError: Error, CustomStringConvertible {
            let description: String
        }
        let found = problems("where: a >") { reader in
            reader.compiled("where", .text) { text -> Int in throw SyntaxError(description: "unexpected end of \(text)")
            }
        }
        XCTAssertEqual(found, ["s.yaml:1:8: where: unexpected end of a >"])
        XCTAssertEqual(
            problems("a: ~") { reader in
                (
                    reader.compiled("a", .text, isRequired: true) { $0 },
                    reader.compiled("b", .text, isRequired: true) { $0 }, reader.compiled("c", .text) { $0 }
                )
            },
            ["s.yaml:1:1: b: is missing; must be text", "s.yaml:1:4: a: has no value; must be text, or remove the key"])
    }

    func testNamedSectionsAndTreesKeepTheirPlaces() throws {
        let yaml =
            "lookups:\n  rates: {file: r.json}\n  regions: {file: g.json}\nschema: {type: object, anything: [1, {goes: 2}]}"
        let reading = try read(yaml) { reader in
            (
                reader.namedSections("lookups").map { "\($0.name):\($0.reader.required("file", .text))" },
                reader.tree("schema")?.mapping?["type"]?.mark.description
            )
        }
        XCTAssertEqual(reading.settings.0, ["rates:r.json", "regions:g.json"])
        XCTAssertEqual(reading.settings.1, "s.yaml:4:16")
    }

    func testEffectiveSettingsNameTheirOriginAndHideSecrets() throws {
        let reading = try read("input: a\npassword: hunter2", overrides: ["threads=3"]) { reader in
            (
                reader.required("input", .topicName), reader.value("threads", .integer(in: 1...64), default: 1),
                reader.value("pause", .duration(in: .zero...(.seconds(90))), default: .seconds(60)),
                reader.required("password", .secret)
            )
        }
        XCTAssertEqual(
            reading.effective.map(\.description),
            [
                "input = a (s.yaml:1:8)", "threads = 3 (--set threads)", "pause = 1m (default)",
                "password = *** (s.yaml:2:11)",
            ])
        XCTAssertEqual(reading.settings.3.revealed, "hunter2")
        let secret = reading.settings.3
        for shown in ["\(secret)", String(reflecting: secret), "\(reading.settings)"] {
            XCTAssertFalse(shown.contains("hunter2"), shown)
        }
    }

    func testASecretThatCannotBeReadIsNotShown() {
        let found = problems("pin: abc") { reader in
            reader.required(
                "pin", SettingKind<Int>("a number of four digits", placeholder: 0, isSecret: true) { _ in .refused })
        }
        XCTAssertEqual(found, ["s.yaml:1:6: pin: must be a number of four digits, not what it is"])
    }

    func testAnEmptyVariableMakesAnOptionalValueAbsent() throws {
        let yaml = "input: a\nlate: ${LATE}\nregions: ['${LATE}x']"
        let settings = try read(yaml, environment: ["LATE": ""]) { Settings($0) }.settings
        XCTAssertNil(settings.late)
        XCTAssertEqual(settings.regions, ["x"])
        XCTAssertEqual(problems(yaml) { Settings($0) }.count, 2)
    }

    func testDocumentsThatAreNoMapping() {
        XCTAssertEqual(
            problems("- a") { Settings($0) }, ["s.yaml:1:1: must be a mapping of settings, not a list"])
        XCTAssertEqual(problems("") { Settings($0) }.count, 1)
        XCTAssertEqual(problems("a: [") { Settings($0) }.count, 1)
    }

    func testAFileThatIsNotThere() {
        XCTAssertThrowsError(try SettingsDocument(file: "/nonexistent/x.yaml", environment: Environment([:]))) {
            error in
            XCTAssertEqual(
                "\(error)",
                "1 error in the configuration:\n  /nonexistent/x.yaml: cannot open /nonexistent/x.yaml: No such file or directory"
            )
        }
    }

    func testTheProcessEnvironmentIsRead() throws {
        XCTAssertEqual(Environment.process()["PATH"].map { "\($0.isEmpty)" }, "false")
        XCTAssertNil(Environment(["EMPTY": ""])["EMPTY"])
    }
}
