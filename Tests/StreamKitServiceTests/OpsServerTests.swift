import Foundation

import FoundationNetworking

import HTTP
import Metrics
import StreamKitService
import Synchronization
import XCTest

final class OpsServerTests: XCTestCase {
    private func get(_ server: OpsServer, _ path: String) throws -> (status: Int, type: String, body: String) {
        let done = DispatchSemaphore(value: 0)
        let answer = Mutex<(Int, String, String)>((0, "", ""))
        let url = try XCTUnwrap(URL(string: "http://\(server.address)\(path)"))
        let configuration = URLSessionConfiguration.ephemeral
        configuration.connectionProxyDictionary = [:]
        let task = URLSession(configuration: configuration).dataTask(with: url) { data, response, _ in
            let response = response as? HTTPURLResponse
            answer.withLock {
                $0 = (
                    response?.statusCode ?? 0, response?.value(forHTTPHeaderField: "Content-Type") ?? "",
                    String(decoding: data ?? Data(), as: UTF8.self)
                )
            }
            done.signal()
        }
        task.resume()
        done.wait()
        return answer.withLock { ($0.0, $0.1, $0.2) }
    }

    func testThePages() throws {
        let registry = MetricsRegistry()
        try registry.register(MetricFamily.gauge("g", help: "A gauge.")).set(to: 5)
        let live = Mutex(Health())
        let ready = Mutex(Health(reasons: ["restoring \"seen\": 5 of 10 records", "no brokers"]))
        let server = try OpsServer(
            address: .thisMachine, title: "validator of orders",
            sources: OpsSources(
                liveness: { live.withLock { $0 } }, readiness: { ready.withLock { $0 } },
                topology: { "topology as \($0.rawValue)" }, metrics: registry))
        defer { server.stop() }

        XCTAssertEqual(try get(server, "/health/live").status, 200)
        XCTAssertEqual(try get(server, "/health/live").body, "{\"status\":\"ok\",\"reasons\":[]}\n")
        live.withLock { $0 = Health(reasons: ["thread 0 has not come round for 31s"]) }
        XCTAssertEqual(try get(server, "/health/live").status, 503)

        let notReady = try get(server, "/health/ready")
        XCTAssertEqual(notReady.status, 503)
        XCTAssertEqual(notReady.type, "application/json")
        XCTAssertEqual(
            notReady.body,
            #"{"status":"failing","reasons":["restoring \"seen\": 5 of 10 records","no brokers"]}"# + "\n")
        ready.withLock { $0 = Health() }
        XCTAssertEqual(try get(server, "/health/ready").status, 200)

        let metrics = try get(server, "/metrics")
        XCTAssertEqual(metrics.type, "text/plain; version=0.0.4; charset=utf-8")
        XCTAssertEqual(metrics.body, "# HELP g A gauge.\n# TYPE g gauge\ng 5\n")

        XCTAssertEqual(try get(server, "/topology").body, "topology as text")
        XCTAssertEqual(try get(server, "/topology?format=mermaid").body, "topology as mermaid")
        XCTAssertEqual(try get(server, "/topology?format=json").type, "application/json")
        XCTAssertEqual(try get(server, "/topology?format=dot").status, 400)

        let listing = try get(server, "/").body
        XCTAssertTrue(listing.hasPrefix("validator of orders\n"))
        for path in ["/health/live", "/health/ready", "/metrics", "/topology"] { XCTAssertTrue(listing.contains(path)) }
        XCTAssertEqual(try get(server, "/other").status, 404)
    }

    func testProcessMetricsAreLookedUpWhenRead() throws {
        let registry = MetricsRegistry()
        try ProcessMetrics.register(in: registry)
        func value(_ name: String) throws -> Double {
            let page = String(decoding: registry.exposition(), as: UTF8.self)
            let line = try XCTUnwrap(page.split(separator: "\n").first { $0.hasPrefix(name + " ") })
            return try XCTUnwrap(Double(line.dropFirst(name.count + 1)))
        }
        XCTAssertGreaterThan(try value("process_resident_memory_bytes"), 1_000_000)
        XCTAssertEqual(try value("process_start_time_seconds"), Date().timeIntervalSince1970, accuracy: 600)
        let before = try value("process_cpu_seconds_total")
        while try value("process_cpu_seconds_total") == before {}
        let files = try value("process_open_fds")
        let handle = try XCTUnwrap(FileHandle(forReadingAtPath: "/dev/null"))
        XCTAssertEqual(try value("process_open_fds"), files + 1)
        try handle.close()
    }
}
