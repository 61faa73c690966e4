import EmbeddedBroker
import Foundation
import StreamKit
import StreamKitKafka
import Synchronization
import XCTest

/// What the runtime's producer asks of the cluster before it writes.
final class ProducerTopicsTests: XCTestCase {
    /// A broker may hear of a topic later than the controller that made it.
    func testATopicIsAskedForUntilTheBrokerKnowsOfIt() throws {
        let broker = try EmbeddedBroker(BrokerConfiguration())
        defer { broker.stop() }
        let cluster = try KafkaCluster(
            KafkaClusterSettings(
                application: "late", instance: "i", isStaticMember: false, bootstrapServers: broker.bootstrapServers,
                log: Silence()))
        let producer = try cluster.makeProducer(thread: 0)
        defer { producer.close() }
        try producer.initialize()
        // Made by another thread, most likely after the producer has asked; were it before, the answer is the same.
        let makes = Mutex(true)
        let maker = Thread {
            try? cluster.createTopics([TopicDefinition(name: "later", partitions: 3)])
            makes.withLock { $0 = false }
        }
        maker.start()
        XCTAssertEqual(try producer.partitionCount(of: "later"), 3)
        while makes.withLock({ $0 }) { usleep(1_000) }
        XCTAssertNil(try producer.partitionCount(of: "never"))
    }
}
