import Foundation
import StreamKit
import StreamKitService
import StreamKitTesting
import XCTest

/// The services of the order pipeline with the very files that are deployed, without a broker.
enum OrderServices {
    /// 2025-01-13T15:30:46.234Z
    static let now: Int64 = 1_736_782_246_234

    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "deploy/pipelines/orders")

    static func topic(_ name: String) -> String { "ecommerce.orders.\(name)" }

    /// - Parameter overrides: as `--set` takes them.
    static func configured<Service: StreamService>(
        _ type: Service.Type, _ overrides: [String] = [], environment: [String: String] = [:]
    ) throws -> ConfiguredService<Service> {
        try ConfiguredService(
            type, file: folder.appending(path: "\(Service.name).yaml").path, overrides: overrides,
            environment: environment)
    }

    static func driver<Service: StreamService>(
        _ type: Service.Type, _ overrides: [String] = [], partitions: [String: Int32] = [:]
    ) throws -> TopologyTestDriver {
        try TopologyTestDriver(configured(type, overrides).plan, partitions: partitions, nowMilliseconds: now)
    }
}

/// An order as the pipeline's first topic has it; what is left out of `fields` is as in the house's example.
func order(_ changes: [String: String?] = [:]) -> String {
    let members: [(name: String, json: String)] = [
        ("order_id", #""ORD-20250113-001234""#), ("customer_id", #""CUST-US-001""#), ("amount", #""149.99""#),
        ("currency", #""USD""#), ("status", #""confirmed""#), ("timestamp", #""2025-01-13T15:30:45.123Z""#),
        ("items_count", "3"),
    ]
    let known = Set(members.map(\.name))
    let changed: [String] = members.compactMap { member in
        switch changes[member.name] {
        case nil: "\"\(member.name)\":\(member.json)"
        case .some(nil): nil
        case .some(let json?): "\"\(member.name)\":\(json)"
        }
    }
    let added = changes.filter { !known.contains($0.key) }.sorted { $0.key < $1.key }.compactMap { name, json in
        json.map { "\"\(name)\":\($0)" }
    }
    return "{\((changed + added).joined(separator: ","))}"
}

extension StoredRecord {
    /// The value as a JSON object.
    func object(file: StaticString = #filePath, line: UInt = #line) throws -> [String: Any] {
        let value = try XCTUnwrap(value, "a tombstone", file: file, line: line)
        return try XCTUnwrap(
            JSONSerialization.jsonObject(with: Data(value)) as? [String: Any], text ?? "", file: file, line: line)
    }
}
