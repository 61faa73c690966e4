internal import Glibc
internal import StreamKit

/// What `main` of every service does: command line, settings, then check, describe or run.
struct ServiceProgram<Service: StreamService> {
    init(_ service: Service.Type) {}

    func run() -> Never {
        exit(code().rawValue)
    }

    private func code() -> ExitCode {
        let arguments: ServiceArguments
        do throws(UsageError) {
            let request = try ServiceArguments.parse(
                CommandLine.arguments.dropFirst(), service: Service.name, about: Service.about,
                version: StreamKitVersion.text)
            switch request {
            case .show(let text):
                StandardStream.output.write(text)
                return .drained
            case .start(let parsed): arguments = parsed
            }
        } catch {
            StandardStream.error.write("\(error)\n")
            return .usage
        }
        let reading: SettingsDocument.Reading<ServiceConfiguration<Service>>
        do throws(ConfigurationError) {
            reading = try ServiceConfiguration<Service>.load(
                file: arguments.configurationFile, overrides: arguments.overrides, environment: .process())
        } catch {
            StandardStream.error.write("\(error)\n")
            return .configuration
        }
        let configuration = reading.settings
        switch arguments.mode {
        case .check:
            StandardStream.error.write(reading.warnings.map { "warning: \($0)\n" }.joined())
            StandardStream.output.write(
                reading.effective.map { "\($0)\n" }.joined() + "\(arguments.configurationFile) is valid\n")
            return .drained
        case .describe(let format):
            StandardStream.output.write(
                configuration.topology.text(format, deadLetters: configuration.deadLetters.sink.topic))
            return .drained
        case .run:
            return ServiceRunner(configuration, warnings: reading.warnings).run()
        }
    }
}

extension Topology {
    func text(_ format: ServiceArguments.TopologyFormat, deadLetters: String) -> String {
        switch format {
        case .text: describe(deadLetters: deadLetters)
        case .mermaid: describeMermaid(deadLetters: deadLetters)
        case .json: describeJSON(deadLetters: deadLetters) + "\n"
        }
    }
}

/// Of the library and every program of this package.
public enum StreamKitVersion {
    public static let text = "0.1.0"
}

enum StandardStream: Int32 {
    case output = 1
    case error = 2

    func write(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                let written = Glibc.write(rawValue, rest.baseAddress, rest.count)
                if written <= 0 { return }
                rest = UnsafeRawBufferPointer(rebasing: rest[written...])
            }
        }
    }
}
