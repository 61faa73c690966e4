import StreamKit
import StreamKitRules
import StreamKitTesting
import XCTest

final class RuleStepTests: XCTestCase {
    private func driver(_ yaml: String) throws -> TopologyTestDriver {
        let step = try read(yaml) { RuleStep($0) }
        let topology = Topology("app") { flow in
            flow.source("in", topics: ["in"]).process("step") { RuleStepProcessor($0, step) }.to("out", step.output)
        }
        return try TopologyTestDriver(topology)
    }

    private let routed = """
        record: {customer_id: string, amount: dyn}
        fields:
          region: customer_id.split("-")[1].lowerAscii()
          tax: (decimal(amount) * decimal("0.2")).round(2)
        key: region + "-" + customer_id
        output:
          topics: [orders.eu, orders.us]
          topic: '"orders." + region'
        """

    func testAnExpressionChoosesTheTopicAndTheKeyFromComputedFields() throws {
        let driver = try driver(routed)
        try driver.pipe("in", key: "1", #"{"customer_id":"C-EU","amount":"1.50"}"#)
        try driver.pipe("in", key: "2", #"{"customer_id":"C-US","amount":2}"#)
        let eu = driver.take("orders.eu")
        XCTAssertEqual(eu.map(\.text), [#"{"customer_id":"C-EU","amount":"1.50","region":"eu","tax":0.30}"#])
        XCTAssertEqual(eu.map(\.keyText), ["eu-C-EU"])
        XCTAssertEqual(driver.take("orders.us").map(\.keyText), ["us-C-US"])
    }

    func testATopicThatWasNotNamedIsADeadLetter() throws {
        let driver = try driver(routed)
        try driver.pipe("in", key: "1", #"{"customer_id":"C-MARS","amount":1}"#)
        let letter = try XCTUnwrap(driver.take("dead-letters").first)
        XCTAssertEqual(
            letter.header("__streams.errors.message"), "output.topic: orders.mars is not among output.topics")
    }

    func testARunTimeErrorIsADeadLetterThatNamesExpressionAndField() throws {
        let driver = try driver(routed)
        for (record, message) in [
            (#"{"customer_id":"C-EU"}"#, "fields.tax (field amount): "),
            (#"{"customer_id":"C-EU","amount":"much"}"#, "fields.tax"),
            (#"{"customer_id":"C","amount":1}"#, "fields.region"),
            (#"{"customer_id":7,"amount":1}"#, "fields.region (field customer_id): "),
        ] {
            try driver.pipe("in", key: "k", record)
            let letter = try XCTUnwrap(driver.take("dead-letters").first, record)
            let text = letter.header("__streams.errors.message") ?? ""
            XCTAssertTrue(text.hasPrefix(message), "\(record): \(text)")
            XCTAssertTrue(text.contains("1:"), "the place in the expression: \(text)")
        }
        XCTAssertEqual(driver.take("orders.eu").count, 0)
    }

    func testAnEmptyOptionalLeavesItsFieldOut() throws {
        let driver = try driver("fields: {b: value.?a}\noutput: out")
        try driver.pipe("in", key: "k", #"{"a":[1, 2]}"#)
        try driver.pipe("in", key: "k", #"{"c":1}"#)
        XCTAssertEqual(driver.take("out").map(\.text), [#"{"a":[1, 2],"b":[1,2]}"#, #"{"c":1}"#])
    }
}
