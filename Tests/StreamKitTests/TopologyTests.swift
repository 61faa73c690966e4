import StreamKit
import XCTest

final class TopologyTests: XCTestCase {
    /// Two parts: orders are counted by region through a repartition topic.
    private let topology = Topology("app") { flow in
        let orders = flow.source("orders", topics: ["a", "b"])
        orders.filter("kept") { _ in true }.to("out", SinkDefinition("out", partitions: 3))
        orders.process("partial", stores: [StoreDefinition("partial", format: "p/1")]) { Processor($0) }
            .repartition(RepartitionTopic("by-region"))
            .process("combine", stores: [StoreDefinition("windows", format: "w/1")]) { Processor($0) }
            .to("sums", SinkDefinition("sums"))
    }
    private let dead = SinkDefinition("dead", partitions: 1)

    func testPartsMeetAtRepartitionTopics() {
        let parts = topology.subtopologies
        XCTAssertEqual(parts.map(\.index), [0, 1])
        XCTAssertEqual(parts.map(\.sourceTopics), [["a", "b"], ["app-by-region-repartition"]])
        XCTAssertEqual(parts.map { $0.stores.map(\.name) }, [["partial"], ["windows"]])
        XCTAssertEqual(
            parts.map { $0.nodes.map { topology.nodes[$0].name } },
            [["orders", "kept", "out", "partial", "by-region-out"], ["by-region-in", "combine", "sums"]])
        for part in parts {
            for node in part.nodes {
                for edge in topology.nodes[node].inputs { XCTAssertLessThan(edge.node, node, "fed by a later node") }
            }
        }
    }

    func testItIsDescribedWithTheTopicsThatItReadsAndWritesAndThatOfItsDeadLetters() {
        XCTAssertEqual(
            topology.describe(deadLetters: "dead"),
            """
            application app
            sub-topology 0
              source orders topics: a, b
              processor kept <- orders
              sink out <- kept topics: out
              processor partial <- orders stores: partial (app-partial-changelog)
              sink by-region-out <- partial topics: app-by-region-repartition
            sub-topology 1
              source by-region-in topics: app-by-region-repartition
              processor combine <- by-region-in stores: windows (app-windows-changelog)
              sink sums <- combine topics: sums
            refused records topics: dead

            """)
        let mermaid = topology.describeMermaid(deadLetters: "dead").split(separator: "\n")
        let dead = mermaid.first { $0.hasSuffix("[(\"dead\")]") }?.prefix { $0 != "[" }.trimmingPrefix { $0 == " " }
        for part in 0...1 {
            XCTAssertTrue(mermaid.contains("    s\(part) -. refused .-> \(dead ?? "?")"), "\(mermaid)")
        }
        XCTAssertTrue(topology.describeJSON(deadLetters: "dead").hasSuffix(#","dead_letters":"dead"}"#))
    }

    func testMergingJoinsPartsIntoOne() {
        let merged = Topology("app") { flow in
            let first = flow.source("first", topics: ["a"])
            let second = flow.source("second", topics: ["b"])
            first.merge("both", second).to("out", SinkDefinition("out"))
        }
        XCTAssertEqual(merged.subtopologies.map(\.sourceTopics), [["a", "b"]])
    }

    func testInternalTopicsAreNamedAfterWhatTheTopologyCallsThem() {
        XCTAssertEqual(topology.changelogTopic(StoreDefinition("windows", format: "x")), "app-windows-changelog")
        XCTAssertEqual(topology.repartitionTopic(RepartitionTopic("by-region")), "app-by-region-repartition")
    }

    func testEveryFaultOfADeclarationIsTold() {
        let wrong = Topology("app") { flow in
            let source = flow.source("same", topics: ["a"])
            _ = flow.source("other", topics: ["a"])
            let store = StoreDefinition("store", format: "s/1")
            source.process("same", stores: [store]) { Processor($0) }
                .process("next", stores: [store]) { Processor($0) }
        }
        XCTAssertEqual(
            wrong.faults, ["two steps are named same", "two stores are named store", "the topic a has two sources"])
        XCTAssertEqual(topology.faults, [])
        XCTAssertEqual(Topology("empty") { _ in }.faults, ["the topology has no source"])
    }

    // MARK: Topics

    private func plan(_ counts: [String: Int32]) -> TopicPlan { TopicPlan(topology, deadLetters: dead, counts: counts) }

    func testInternalTopicsGetTheInputsPartitionsAndTheirPolicies() {
        let plan = plan(["a": 4, "b": 4, "sums": 1])
        XCTAssertEqual(plan.faults, [])
        XCTAssertEqual(plan.missing, [])
        let created = Dictionary(uniqueKeysWithValues: plan.toCreate.map { ($0.name, $0) })
        XCTAssertEqual(
            created.mapValues(\.partitions),
            [
                "app-by-region-repartition": 4, "app-partial-changelog": 4, "app-windows-changelog": 4, "out": 3,
                "dead": 1,
            ])
        XCTAssertEqual(created["app-windows-changelog"]?.configuration, ["cleanup.policy": "compact"])
        XCTAssertEqual(created["app-by-region-repartition"]?.configuration["retention.ms"], "-1")
        XCTAssertTrue(plan.toCreate.allSatisfy { $0.replication == nil })
    }

    func testWhatExistsIsNotCreated() {
        let plan = plan([
            "a": 4, "b": 4, "sums": 1, "out": 9, "dead": 2, "app-by-region-repartition": 2,
            "app-partial-changelog": 4, "app-windows-changelog": 2,
        ])
        XCTAssertEqual(plan.toCreate, [])
        XCTAssertEqual(plan.faults, [])
    }

    func testMissingTopicsAreNamedOnce() {
        XCTAssertEqual(plan([:]).missing.sorted(), ["a", "b", "sums"])
        XCTAssertEqual(plan(["a": 1]).missing.sorted(), ["b", "sums"])
        XCTAssertEqual(plan([:]).faults, [])
    }

    func testUnequalPartitionCountsAreRefusedWithBothNumbers() {
        let unequal = plan(["a": 4, "b": 3, "sums": 1])
        XCTAssertEqual(unequal.faults.count, 1)
        XCTAssertTrue(unequal.faults[0].contains("a has 4") && unequal.faults[0].contains("b has 3"), unequal.faults[0])
        let changelog = plan(["a": 4, "b": 4, "sums": 1, "app-partial-changelog": 5])
        XCTAssertEqual(changelog.faults.count, 1)
        XCTAssertTrue(
            changelog.faults[0].contains("has 5 partitions") && changelog.faults[0].contains("a has 4"),
            changelog.faults[0])
    }

    func testEveryTopicIsAskedFor() {
        XCTAssertEqual(
            Set(TopicPlan.topics(of: topology, deadLetters: dead)),
            [
                "a", "b", "out", "sums", "dead", "app-by-region-repartition", "app-partial-changelog",
                "app-windows-changelog",
            ])
    }
}
