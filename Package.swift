// swift-tools-version: 6.2
import PackageDescription

// The exclusivity check costs about 5 ns for each access to a class's stored property: as much as a whole processor.
// It stays on in debug builds, where the tests look for violations.
let swift: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]

/// A module under Shared/: it may depend only on modules of a lower floor (DESIGN.md, "The house").
func shared(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, path: "Shared/\(name)", swiftSettings: swift)
}

/// A Debian library's headers and nothing else; exactly one module imports it.
func library(_ name: String, pkgConfig: String? = nil, apt: String) -> Target {
    .systemLibrary(name: name, path: "Shared/\(name)", pkgConfig: pkgConfig, providers: [.apt([apt])])
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, path: "Tests/\(name)", swiftSettings: swift)
}

func service(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, path: "Services/\(name)", swiftSettings: swift)
}

/// A program that measures; nothing depends on it.
func benchmark(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, path: "Benchmarks/\(name)", swiftSettings: swift)
}

/// What a service needs whose YAML has expressions.
let ruleServices: [Target.Dependency] = ["StreamKit", "StreamKitService", "StreamKitRules", "Expressions"]

let package = Package(
    name: "streamkit",
    products: [
        // What a service of one's own is made of, and what tests it. The services themselves are products by themselves.
        .library(
            name: "StreamKit",
            targets: ["StreamKit", "StreamKitService", "StreamKitRules", "Expressions", "JSON", "JSONSchema"]),
        .library(name: "StreamKitTesting", targets: ["StreamKitTesting"]),
    ],
    targets: [
        // Floor 0: C libraries, and the few lines of C or C++ where a header does not reach Swift.
        library("CLibrdkafka", pkgConfig: "rdkafka", apt: "librdkafka-dev"),
        library("CRocksDB", apt: "librocksdb-dev"),
        library("CLibYAML", pkgConfig: "yaml-0.1", apt: "libyaml-dev"),
        library("CLinux", apt: "libc6-dev"),
        library("CProcess", apt: "libc6-dev"),
        library("CMimalloc", apt: "libmimalloc-dev"),
        .target(name: "CRE2", path: "Shared/CRE2", linkerSettings: [.linkedLibrary("re2")]),
        .target(name: "CMicroHTTP", path: "Shared/CMicroHTTP", linkerSettings: [.linkedLibrary("microhttpd")]),
        // Floor 1: one door to each library, and the languages.
        shared("JSON"),
        shared("YAML", ["CLibYAML"]),
        shared("HTTP", ["CMicroHTTP"]),
        shared("Metrics"),
        shared("Kafka", ["CLibrdkafka"]),
        shared("RocksDB", ["CRocksDB"]),
        shared("Patterns", ["CRE2"]),
        shared("JSONSchema", ["JSON", "Patterns"]),
        shared("Expressions", ["JSON", "Patterns"]),
        // Floor 2: the stream processor, with no C and no I/O of its own.
        shared("StreamKit", ["JSON"]),
        // Floor 3: adapters, what makes a program of a topology, and tools.
        shared("StreamKitKafka", ["StreamKit", "Kafka", "RocksDB"]),
        shared("StreamKitService", ["CMimalloc", "StreamKit", "StreamKitKafka", "YAML", "HTTP", "Metrics"]),
        shared("StreamKitRules", ["StreamKit", "StreamKitService", "Expressions", "JSONSchema", "JSON", "YAML"]),
        shared("ChangeData", ["JSON"]),
        shared("EmbeddedBroker", ["CLinux"]),
        shared(
            "StreamControl",
            ["CProcess", "Expressions", "JSON", "JSONSchema", "Kafka", "StreamKit", "StreamKitService", "YAML"]),
        shared("StreamKitTesting", ["StreamKit"]),
        // Services.
        service("cdc-forwarder", ruleServices + ["ChangeData", "JSON"]),
        service("validator", ruleServices + ["JSONSchema", "JSON"]),
        service("enricher", ruleServices),
        service("deduplicator", ruleServices),
        service("aggregator", ruleServices + ["JSON"]),
        service("embedded-broker", ["EmbeddedBroker"]),
        service("anomaly-detector", ruleServices + ["JSON"]),
        service("streamctl", ["Expressions", "JSON", "JSONSchema", "Kafka", "StreamControl", "StreamKitService"]),
        // Examples.
        .executableTarget(
            name: "large-orders", dependencies: ["StreamKit", "StreamKitService", "JSON"],
            path: "Examples/large-orders",
            exclude: ["large-orders.yaml"], swiftSettings: swift),
        // Benchmarks.
        .target(name: "CAllocationCounter", path: "Benchmarks/CAllocationCounter"),
        benchmark("rules-benchmark", ruleServices + ["JSON", "JSONSchema", "Patterns", "CAllocationCounter"]),
        benchmark("kafka-copy", ["Kafka", "StreamKit"]),
        benchmark("broker-benchmark", ["EmbeddedBroker"]),
        // Tests.
        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: swift),
        tests("JSONTests", ["JSON", "TestSupport"]),
        tests("YAMLTests", ["TestSupport", "YAML"]),
        tests("HTTPTests", ["HTTP", "TestSupport"]),
        tests("MetricsTests", ["Metrics"]),
        tests("PatternsTests", ["TestSupport", "Patterns"]),
        tests("ExpressionsTests", ["Expressions", "JSON", "TestSupport"]),
        tests("ChangeDataTests", ["ChangeData", "JSON"]),
        tests("KafkaTests", ["EmbeddedBroker", "Kafka", "TestSupport"]),
        tests("RocksDBTests", ["RocksDB"]),
        tests(
            "StreamKitKafkaTests",
            [
                "EmbeddedBroker", "StreamKitKafka", "StreamKit", "StreamKitTesting", "Kafka", "RocksDB", "TestSupport",
            ]),
        tests("StreamKitServiceTests", ["StreamKitService", "YAML", "HTTP", "Metrics"]),
        tests(
            "ServiceTests",
            [
                "validator", "enricher", "deduplicator", "aggregator", "anomaly-detector", "cdc-forwarder", "StreamKit",
                "StreamKitService", "StreamKitTesting", "YAML",
            ]),
        tests(
            "StreamKitRulesTests",
            [
                "Expressions", "JSON", "StreamKit", "StreamKitRules", "StreamKitService", "StreamKitTesting",
                "TestSupport", "aggregator", "anomaly-detector", "cdc-forwarder", "deduplicator", "enricher",
                "validator",
            ]),
        tests("EndToEnd", ["Kafka", "StreamKit", "TestSupport"]),
        tests(
            "StreamControlTests",
            ["EmbeddedBroker", "Kafka", "StreamControl", "StreamKit", "StreamKitService", "streamctl"]),
        tests("StreamKitTests", ["StreamKit", "StreamKitTesting", "JSON", "TestSupport"]),
        tests("JSONSchemaTests", ["JSON", "JSONSchema", "TestSupport"]),
        tests("EmbeddedBrokerTests", ["EmbeddedBroker", "TestSupport", "embedded-broker"]),
    ],
    cxxLanguageStandard: .cxx17
)
