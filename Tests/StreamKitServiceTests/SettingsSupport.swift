import StreamKitService
import XCTest

/// Reads settings out of a text, as a service does out of its file.
func read<Settings>(
    _ yaml: String, overrides: [String] = [], environment: [String: String] = [:],
    _ body: (SettingsReader) -> Settings?
) throws -> SettingsDocument.Reading<Settings> {
    try SettingsDocument(
        Array(yaml.utf8), source: "s.yaml", overrides: overrides, environment: Environment(environment)
    ).read(body)
}

/// The problems of such a reading, one text each.
func problems<Settings>(
    _ yaml: String, overrides: [String] = [], environment: [String: String] = [:],
    _ body: (SettingsReader) -> Settings?
) -> [String] {
    do {
        _ = try read(yaml, overrides: overrides, environment: environment, body)
        return []
    } catch let error as ConfigurationError {
        return error.problems.map(\.description)
    } catch {
        return ["unexpected: \(error)"]
    }
}
