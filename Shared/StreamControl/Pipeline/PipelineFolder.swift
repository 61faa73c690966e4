internal import Glibc
internal import StreamKitService
internal import YAML

/// A folder with the configuration of each service of a pipeline: `<service>.yaml` is run by the executable `<service>`.
///
/// A file is a service's if it names an `application:`; others (reference data, say) lie beside those that use them.
struct PipelineFolder {
    struct Service: Equatable {
        /// The executable's name, and the file's without its suffix.
        let name: String
        let configurationFile: String
    }

    struct Unusable: Error {
        let problems: [String]
    }

    let path: String
    /// By name.
    let services: [Service]

    private static let fileBytesMax = 4 << 20

    init(path: String) throws(Unusable) {
        var folder = path
        while folder.count > 1, folder.hasSuffix("/") { folder.removeLast() }
        self.path = folder
        var found: [Service] = []
        var problems: [String] = []
        do throws(SystemError) {
            for file in try Directory.entries(folder).sorted() {
                guard let dot = file.lastIndex(of: "."), dot > file.startIndex,
                    file[dot...] == ".yaml" || file[dot...] == ".yml"
                else { continue }
                let configurationFile = "\(folder)/\(file)"
                let bytes = try FileSystem.read(configurationFile, limit: Self.fileBytesMax)
                do throws(YAMLError) {
                    let root = try YAMLDocument.parse(bytes, source: configurationFile)
                    guard root.mapping?["application"] != nil else { continue }
                    found.append(Service(name: String(file[..<dot]), configurationFile: configurationFile))
                } catch {
                    problems += error.problems.map { "\($0.mark): \($0.message)" }
                }
            }
        } catch {
            problems.append("\(error)")
        }
        if found.isEmpty && problems.isEmpty {
            problems.append("\(folder) holds no service: no .yaml file there names an application")
        }
        if !problems.isEmpty { throw Unusable(problems: problems) }
        services = found
    }

    /// The folder's own name, which is the pipeline's.
    var name: String {
        let last = path.split(separator: "/").last.map(String.init) ?? ""
        return last.isEmpty || last == "." || last == ".." ? "pipeline" : last
    }
}

enum Directory {
    /// The names in a folder, without `.` and `..`, in no order.
    static func entries(_ path: String) throws(SystemError) -> [String] {
        guard let folder = opendir(path) else { throw SystemError("cannot open \(path)", code: errno) }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let capacity = MemoryLayout.size(ofValue: entry.pointee.d_name)
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: capacity) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }
}
