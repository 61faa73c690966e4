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

let package = Package(
    name: "streamkit",
    targets: [
        // Floor 0: C libraries.
        library("CLibrdkafka", pkgConfig: "rdkafka", apt: "librdkafka-dev"),
        library("CRocksDB", apt: "librocksdb-dev"),
        library("CLibYAML", pkgConfig: "yaml-0.1", apt: "libyaml-dev"),
        library("CLinux", apt: "libc6-dev"),
        // Floor 1: one door to each library, and the languages.
        // Floor 2: the stream processor, with no C and no I/O of its own.
        // Floor 3: adapters, what makes a program of a topology, and tools.
        shared("EmbeddedBroker", ["CLinux"]),
        // Services.
        service("embedded-broker", ["EmbeddedBroker"]),
        // Tests.
        tests("EmbeddedBrokerTests", ["EmbeddedBroker", "embedded-broker"]),
    ]
)
