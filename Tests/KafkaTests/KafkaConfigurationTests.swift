import Kafka
import XCTest

final class KafkaConfigurationTests: XCTestCase {
    func testEveryInvalidPropertyIsReportedAtOnce() {
        do {
            _ = try KafkaConfiguration([
                ("bootstrap.servers", "127.0.0.1:1"), ("no.such.property", "1"), ("linger.ms", "soon"),
                ("isolation.level", "sometimes"),
            ])
            XCTFail("three of the properties are not valid")
        } catch {
            XCTAssertEqual(error.problems.map(\.property), ["no.such.property", "linger.ms", "isolation.level"])
            XCTAssertTrue(error.description.contains("linger.ms"), error.description)
        }
    }

    func testRefusedSecretIsNotShown() {
        do {
            _ = try KafkaConfiguration([("ssl.key.password", "hunter2"), ("ssl.ca.pem", "hunter2"), ("linger.ms", "x")])
            XCTFail("linger.ms is not valid")
        } catch {
            XCTAssertFalse(error.description.contains("hunter2"), error.description)
        }
    }

    func testCapabilityIsThatOfTheLibraryThatRuns() {
        XCTAssertTrue(KafkaConfiguration.isKnown("queued.min.messages"))
        XCTAssertFalse(KafkaConfiguration.isKnown("no.such.property"))
        XCTAssertEqual(
            KafkaConfiguration.isKnown("fetch.queue.backoff.ms"), KafkaLibrary.versionNumber >= 0x0202_00ff)
    }

    func testValueIsTheOneInForce() throws {
        let configuration = try KafkaConfiguration([("linger.ms", "20"), ("linger.ms", "30")])
        XCTAssertEqual(configuration.value(of: "linger.ms"), "30")
        XCTAssertEqual(configuration.value(of: "isolation.level"), "read_committed")
        XCTAssertNil(configuration.value(of: "no.such.property"))
        let copy = configuration.copy()
        XCTAssertEqual(copy.value(of: "linger.ms"), "30")
    }

    func testContradictingPropertiesAreRefusedWhenTheClientIsMade() throws {
        let properties = [
            (name: "transactional.id", value: "t"), (name: "transaction.timeout.ms", value: "1000"),
            (name: "message.timeout.ms", value: "5000"),
        ]
        XCTAssertThrowsError(try TransactionalProducer(KafkaConfiguration(properties))) { error in
            XCTAssertTrue("\(error)".contains("message.timeout.ms"), "\(error)")
        }
    }
}
