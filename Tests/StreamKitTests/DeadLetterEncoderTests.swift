import Foundation
import StreamKit
import XCTest

final class DeadLetterEncoderTests: XCTestCase {
    private let now: Int64 = 1_736_782_246_234

    private func encode(
        _ original: [UInt8]?, _ refusal: Refusal = Refusal("SCHEMA_VIOLATION", "amount: missing"),
        bytesMax: Int = 10_000
    ) throws -> [String: Any] {
        let encoder = DeadLetterEncoder(
            copiedFields: [("attempted_order_id", "order_id")], recordBytesMax: bytesMax)
        let bytes: [UInt8]
        if let original {
            bytes = original.withUnsafeBytes { [UInt8](encoder.encode(refusal, original: $0, nowMilliseconds: now)) }
        } else {
            bytes = [UInt8](encoder.encode(refusal, original: nil, nowMilliseconds: now))
        }
        XCTAssertLessThan(bytes.count, bytesMax)
        return try XCTUnwrap(JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
    }

    func testItSaysWhatWasRefusedAndWhy() throws {
        let original = #"{"order_id":"ORD-1","note":"a \"quoted\" \u00e9"}"#
        let letter = try encode(Array(original.utf8))
        XCTAssertEqual(letter["original_message"] as? String, original)
        XCTAssertEqual(letter["error_type"] as? String, "SCHEMA_VIOLATION")
        XCTAssertEqual(letter["error_message"] as? String, "amount: missing")
        XCTAssertEqual(letter["error_timestamp"] as? String, "2025-01-13T15:30:46.234Z")
        XCTAssertEqual(letter["attempted_order_id"] as? String, "ORD-1")
        XCTAssertEqual(letter.count, 5)
    }

    func testWhatIsNotTextStandsThereAsBase64() throws {
        for count in 0...7 {
            let original = [0xFF] + [UInt8](repeating: 0xC3, count: count)
            let letter = try encode(original)
            XCTAssertEqual(letter["original_message_encoding"] as? String, "base64")
            XCTAssertEqual(Data(base64Encoded: letter["original_message"] as? String ?? ""), Data(original))
            XCTAssertTrue(letter["attempted_order_id"] is NSNull)
        }
    }

    func testATombstoneAndAnEmptyValueDiffer() throws {
        XCTAssertTrue(try encode(nil)["original_message"] is NSNull)
        XCTAssertEqual(try encode([])["original_message"] as? String, "")
    }

    func testWhatWouldNotFitIsCutBetweenCharactersWithItsFullSize() throws {
        let text = Array(String(repeating: "\u{20AC}", count: 30_000).utf8)
        let letter = try encode(text)
        XCTAssertEqual(letter["original_message_truncated"] as? Bool, true)
        XCTAssertEqual(letter["original_message_bytes"] as? Int, 90_000)
        let kept = try XCTUnwrap(letter["original_message"] as? String)
        XCTAssertGreaterThan(kept.count, 100)
        XCTAssertTrue(kept.allSatisfy { $0 == "\u{20AC}" })

        let binary = try encode([UInt8](repeating: 0xFF, count: 90_000))
        XCTAssertEqual(binary["original_message_bytes"] as? Int, 90_000)
        let part = try XCTUnwrap(Data(base64Encoded: binary["original_message"] as? String ?? ""))
        XCTAssertGreaterThan(part.count, 1000)
        XCTAssertTrue(part.allSatisfy { $0 == 0xFF })
    }

    func testControlCharactersNeverMakeItTooLarge() throws {
        let letter = try encode([UInt8](repeating: 1, count: 5_000))
        XCTAssertEqual(letter["original_message_truncated"] as? Bool, true)
    }

    func testACopiedFieldThatIsHugeIsLeftOut() throws {
        let huge = #"{"order_id":""# + String(repeating: "x", count: 3_000) + #""}"#
        XCTAssertTrue(try encode(Array(huge.utf8))["attempted_order_id"] is NSNull)
    }

    func testDetailsStandBesideTheRest() throws {
        let refusal = Refusal("DUPLICATE", "seen", details: [("first", #"{"topic":"t","offset":7}"#)])
        let first = try encode([], refusal)["first"] as? [String: Any]
        XCTAssertEqual(first?["offset"] as? Int, 7)
    }
}
