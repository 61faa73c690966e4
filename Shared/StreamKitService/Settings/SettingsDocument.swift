internal import YAML

/// A configuration file with command-line overrides put in, ready to be read.
public struct SettingsDocument {
    private static let bytesMax = 4 << 20

    private let root: YAMLNode
    private let overrideProblems: [SettingsProblem]
    private let environment: Environment

    /// Reads and parses a file.
    ///
    /// - Parameters:
    ///   - overrides: `key.path=value`, each taking the place of one value of the file.
    ///   - environment: what `${NAME}` in the file stands for, and what environment settings are read from.
    public init(
        file: String, overrides: [String] = [], environment: Environment
    ) throws(ConfigurationError) {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try FileSystem.read(file, limit: Self.bytesMax)
        } catch {
            throw ConfigurationError([SettingsProblem(mark: YAMLMark(source: file), keyPath: "", message: "\(error)")])
        }
        try self.init(bytes, source: file, overrides: overrides, environment: environment)
    }

    public init(
        _ bytes: [UInt8], source: String, overrides: [String] = [], environment: Environment
    ) throws(ConfigurationError) {
        var root: YAMLNode
        do throws(YAMLError) {
            root = try YAMLDocument.parse(bytes, source: source) { environment.verbatim($0) }
        } catch {
            throw ConfigurationError(error)
        }
        if root.isNull { root = YAMLNode(.mapping(YAMLMapping()), at: root.mark) }
        guard root.mapping != nil else {
            throw ConfigurationError([
                SettingsProblem(
                    mark: root.mark, keyPath: "", message: "must be a mapping of settings, not \(root.summary)")
            ])
        }
        var problems: [SettingsProblem] = []
        for text in overrides {
            do throws(SettingsProblem.Failure) {
                root = try SettingOverride(text).applied(to: root)
            } catch {
                problems.append(error.problem)
            }
        }
        self.root = root
        overrideProblems = problems
        self.environment = environment
    }

    /// What was read, and each value that is in effect.
    public struct Reading<Settings> {
        public let settings: Settings
        public let effective: [EffectiveSetting]
        /// Every key that was asked for, whether or not it is there: `commit.interval`, `rules[0].require`.
        public let keys: Set<String>
        /// What can be used, but hardly does what was meant; in the order of the file.
        public let warnings: [SettingsProblem]
    }

    /// Reads the settings.
    ///
    /// - Parameter body: asks for every key there is; what it does not ask for is unknown. It may return `nil` once it has
    ///   recorded a problem.
    /// - Throws: all problems, if there is one.
    public func read<Settings>(_ body: (SettingsReader) -> Settings?) throws(ConfigurationError) -> Reading<Settings> {
        let collector = SettingsCollector()
        for problem in overrideProblems { collector.record(problem) }
        let environment = EnvironmentReader(environment: environment, collector: collector)
        let settings = body(
            SettingsReader(node: root, path: SettingPath(), collector: collector, environment: environment))
        collector.refuseUnknownKeys(in: root)
        guard collector.problems.isEmpty else { throw ConfigurationError(collector.problems) }
        guard let settings else {
            throw ConfigurationError([
                SettingsProblem(mark: root.mark, keyPath: "", message: "cannot be used, though no key is at fault")
            ])
        }
        return Reading(
            settings: settings, effective: collector.effective, keys: collector.keys,
            warnings: collector.warnings.inOrderOfTheFile)
    }
}
