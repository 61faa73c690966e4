/// What `streamctl up` is asked for.
public struct PipelineRequest: Sendable {
    /// The pipeline's folder.
    public var folder: String
    /// Only these services; all of the folder if empty.
    public var only: [String] = []
    /// Instances by service; one where nothing is said.
    public var instances: [String: Int] = [:]
    /// Where the executables are.
    public var binaryDirectory: String
    /// Each instance keeps its state in a folder of its name below; nil: `.state/<pipeline>`.
    public var stateDirectory: String?

    public init(folder: String, binaryDirectory: String) {
        self.folder = folder
        self.binaryDirectory = binaryDirectory
    }
}

/// Why a pipeline does not start: everything that is wrong, at once.
public struct PipelineError: Error, Equatable, CustomStringConvertible {
    public let problems: [String]

    public var description: String { problems.joined(separator: "\n") }
}

/// The processes that make up a pipeline.
struct PipelinePlan {
    struct Instance {
        /// `<service>-<number>`, from 1: its `INSTANCE_ID` too.
        let name: String
        let program: ProgramStart
    }

    let instances: [Instance]

    /// - Parameter isExecutable: whether a file can be run.
    init(
        _ request: PipelineRequest, environment: [String: String], isExecutable: (String) -> Bool
    ) throws(PipelineError) {
        let folder: PipelineFolder
        do throws(PipelineFolder.Unusable) {
            folder = try PipelineFolder(path: request.folder)
        } catch {
            throw PipelineError(problems: error.problems)
        }
        var problems: [String] = []
        let known = Set(folder.services.map(\.name))
        for name in Set(request.only).union(request.instances.keys).sorted() where !known.contains(name) {
            problems.append(
                "\(request.folder) has no service \(name); it has \(known.sorted().joined(separator: ", "))")
        }
        var instances: [Instance] = []
        let stateDirectory = request.stateDirectory ?? ".state/\(folder.name)"
        for service in folder.services where request.only.isEmpty || request.only.contains(service.name) {
            let executable = "\(request.binaryDirectory)/\(service.name)"
            guard isExecutable(executable) else {
                problems.append("\(service.configurationFile) has no executable: \(executable) cannot be run")
                continue
            }
            for number in 1...max(1, request.instances[service.name] ?? 1) {
                let name = "\(service.name)-\(number)"
                var variables = environment
                variables["INSTANCE_ID"] = name
                variables["STATE_DIR"] = "\(stateDirectory)/\(name)"
                // Several on one machine cannot share a port.
                variables["OPS_ADDRESS"] = "127.0.0.1:0"
                // People read it here, behind a prefix that no JSON reader expects.
                if (variables["LOG_FORMAT"] ?? "").isEmpty { variables["LOG_FORMAT"] = "text" }
                instances.append(
                    Instance(
                        name: name,
                        program: ProgramStart(
                            path: executable, arguments: ["--config", service.configurationFile],
                            environment: variables)))
            }
        }
        if !problems.isEmpty { throw PipelineError(problems: problems) }
        self.instances = instances
    }
}
