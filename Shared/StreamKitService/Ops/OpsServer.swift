public import HTTP
public import Metrics

/// Whether a service is well, and if not, why.
public struct Health: Sendable, Equatable {
    /// Each names one thing that is wrong and, if it is known, until when; empty if all is well.
    public let reasons: [String]

    public init(reasons: [String] = []) {
        self.reasons = reasons
    }

    public var isWell: Bool { reasons.isEmpty }

    /// `{"status":"ok","reasons":[]}`
    var json: String {
        let reasons = reasons.map(JSONText.quoted).joined(separator: ",")
        return "{\"status\":\"\(isWell ? "ok" : "failing")\",\"reasons\":[\(reasons)]}\n"
    }
}

/// What the ops pages show, asked anew for each request. Everything is called on the server's thread.
public struct OpsSources: Sendable {
    /// Whether the process makes progress; if not, it should be killed.
    let liveness: @Sendable () -> Health
    /// Whether it processes records now, rather than starting, restoring or draining.
    let readiness: @Sendable () -> Health
    let topology: @Sendable (ServiceArguments.TopologyFormat) -> String
    let metrics: MetricsRegistry

    public init(
        liveness: @escaping @Sendable () -> Health, readiness: @escaping @Sendable () -> Health,
        topology: @escaping @Sendable (ServiceArguments.TopologyFormat) -> String, metrics: MetricsRegistry
    ) {
        self.liveness = liveness
        self.readiness = readiness
        self.topology = topology
        self.metrics = metrics
    }
}

/// The pages for probes and operators: `/health/live`, `/health/ready`, `/metrics`, `/topology`, and `/` that lists them.
public final class OpsServer: Sendable {
    private let server: HTTPServer

    public init(
        address: ListenAddress, title: String, sources: OpsSources
    ) throws(HTTPServerError) {
        server = try HTTPServer(
            address: address,
            routes: [
                "/": { _ in .text(Self.listing(title)) },
                "/health/live": { _ in Self.page(sources.liveness()) },
                "/health/ready": { _ in Self.page(sources.readiness()) },
                "/metrics": { _ in
                    HTTPResponse(contentType: MetricsRegistry.contentType, body: sources.metrics.exposition())
                },
                "/topology": { request in Self.topology(request, sources) },
            ])
    }

    /// Where the pages are; the port is the real one.
    public var address: ListenAddress { server.address }

    public func stop() {
        server.stop()
    }

    private static func page(_ health: Health) -> HTTPResponse {
        .json(health.json, status: health.isWell ? 200 : 503)
    }

    private static func topology(_ request: HTTPRequest, _ sources: OpsSources) -> HTTPResponse {
        let name = request.query["format"] ?? ServiceArguments.TopologyFormat.text.rawValue
        guard let format = ServiceArguments.TopologyFormat(rawValue: name) else {
            let formats = ServiceArguments.TopologyFormat.allCases.map(\.rawValue)
            return .text("400 format must be \(Prose.alternatives(formats))\n", status: 400)
        }
        let text = sources.topology(format)
        return format == .json ? .json(text) : .text(text)
    }

    private static func listing(_ title: String) -> String {
        """
        \(title)

        /health/live      whether it makes progress
        /health/ready     whether it processes records
        /metrics          for Prometheus
        /topology         what it reads, does and writes (?format=text, mermaid or json)

        """
    }
}
