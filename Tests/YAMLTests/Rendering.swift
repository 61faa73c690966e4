import XCTest
import YAML

/// A document in one line, for comparison: plain texts bare, all others quoted.
func render(_ node: YAMLNode) -> String {
    switch node.content {
    case .scalar(let scalar):
        switch scalar.resolved {
        case .null: "null"
        case .boolean(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .float(let value): "float(\(value))"
        case .string: "'\(scalar.text)'"
        }
    case .sequence(let nodes): "[" + nodes.map(render).joined(separator: ", ") + "]"
    case .mapping(let mapping):
        "{" + mapping.entries.map { "\($0.key): \(render($0.value))" }.joined(separator: ", ") + "}"
    }
}

func parse(
    _ text: String, limits: YAMLDocument.Limits = .init(), variables: [String: String] = [:]
) throws -> YAMLNode {
    try YAMLDocument.parse(Array(text.utf8), source: "t.yaml", limits: limits) { variables[$0] }
}

func problems(
    _ text: String, limits: YAMLDocument.Limits = .init(), variables: [String: String] = [:]
) -> [String] {
    do {
        _ = try parse(text, limits: limits, variables: variables)
        return []
    } catch let error as YAMLError {
        return error.problems.map(\.description)
    } catch {
        return ["unexpected \(error)"]
    }
}
