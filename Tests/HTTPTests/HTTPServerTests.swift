import Foundation
import HTTP
import TestSupport
import XCTest

final class HTTPServerTests: XCTestCase {
    private func start(
        _ address: String = "127.0.0.1:0", limits: HTTPServer.Limits = .init()
    ) throws -> HTTPServer {
        try HTTPServer(
            address: try XCTUnwrap(ListenAddress(address)), limits: limits,
            routes: [
                "/hello": { _ in .text("hello\n") },
                "/echo": { request in
                    .json(
                        request.query.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: "|"))
                },
                "/failing": { _ in .text("not ready\n", status: 503) },
                "/large": { _ in HTTPResponse(contentType: "x/y", body: [UInt8](repeating: 0x61, count: 3_000_000)) },
                "/a b": { _ in .text("space\n") },
            ])
    }

    private func exchange(_ server: HTTPServer, _ request: String) throws -> String {
        let client = try RawClient(port: server.address.port, isIPv6: server.address.host.contains(":"))
        client.send(request)
        return client.readToEnd()
    }

    private func get(_ server: HTTPServer, _ target: String, method: String = "GET") throws -> (
        head: String, body: String
    ) {
        let response = try exchange(server, "\(method) \(target) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        let parts = response.components(separatedBy: "\r\n\r\n")
        return (parts[0], parts.dropFirst().joined(separator: "\r\n\r\n"))
    }

    func testPagesAreServedOnAFreePort() throws {
        let server = try start()
        defer { server.stop() }
        XCTAssertGreaterThan(server.address.port, 0)
        let (head, body) = try get(server, "/hello")
        XCTAssertTrue(head.hasPrefix("HTTP/1.1 200 "), head)
        XCTAssertTrue(head.contains("Content-Type: text/plain; charset=utf-8"), head)
        XCTAssertTrue(head.contains("Content-Length: 6"), head)
        XCTAssertEqual(body, "hello\n")
        XCTAssertTrue(try get(server, "/failing").head.hasPrefix("HTTP/1.1 503 "))
        XCTAssertEqual(try get(server, "/large").body.utf8.count, 3_000_000)
    }

    func testQueriesAreDecoded() throws {
        let server = try start()
        defer { server.stop() }
        XCTAssertEqual(
            try get(server, "/echo?format=json&x=a%20b+c&x=2&empty=&bare&%C3%A9=%FF").body,
            "bare=|empty=|format=json|x=a b c|é=\u{FFFD}")
        XCTAssertEqual(try get(server, "/a%20b").body, "space\n")
    }

    func testHeadHasNoBody() throws {
        let server = try start()
        defer { server.stop() }
        let (head, body) = try get(server, "/hello", method: "HEAD")
        XCTAssertTrue(head.contains("Content-Length: 6"), head)
        XCTAssertEqual(body, "")
    }

    func testWhatIsNotThereAndWhatIsNotAllowed() throws {
        let server = try start()
        defer { server.stop() }
        XCTAssertTrue(try get(server, "/nothing").head.hasPrefix("HTTP/1.1 404 "))
        XCTAssertTrue(try get(server, "/hello/").head.hasPrefix("HTTP/1.1 404 "))
        XCTAssertTrue(try get(server, "/hello/../hello").head.hasPrefix("HTTP/1.1 404 "))
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW"] {
            let response = try exchange(
                server, "\(method) /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\nabcde")
            XCTAssertTrue(response.hasPrefix("HTTP/1.1 405 "), response)
            XCTAssertTrue(response.contains("Allow: GET, HEAD"), response)
        }
    }

    func testSeveralRequestsOnOneConnection() throws {
        let server = try start()
        defer { server.stop() }
        let request = "GET /hello HTTP/1.1\r\nHost: x\r\n"
        let response = try exchange(
            server, request + "\r\n" + request + "Content-Length: 3\r\n\r\nabc" + request + "Connection: close\r\n\r\n")
        XCTAssertEqual(response.components(separatedBy: "hello\n").count, 4)
    }

    func testHeadersThatAreTooLongAreRefused() throws {
        let server = try start()
        defer { server.stop() }
        let response = try exchange(
            server, "GET /hello HTTP/1.1\r\nHost: x\r\nX: \(String(repeating: "a", count: 100_000))\r\n\r\n")
        XCTAssertFalse(response.contains("200 OK"), response)
        XCTAssertEqual(try get(server, "/hello").body, "hello\n")
    }

    func testGarbageNeverStopsTheServer() throws {
        let server = try start(limits: .init(connections: 500, idleSeconds: 1))
        defer { server.stop() }
        var random = SystemRandomNumberGenerator()
        let valid = Array(
            "GET /echo?a=%zz&b HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc"
                .utf8)
        for round in 0..<300 {
            var bytes = valid
            switch round % 3 {
            case 0:
                bytes = (0..<Int.random(in: 0...300, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
            case 1:
                for _ in 0..<Int.random(in: 1...8, using: &random) {
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
            default: bytes = Array(valid.prefix(Int.random(in: 0..<valid.count, using: &random)))
            }
            let client = try RawClient(port: server.address.port)
            client.send(bytes)
            client.finishSending()
        }
        // The server takes connections in their order, so it has seen all of them when it answers this one.
        XCTAssertEqual(try get(server, "/hello").body, "hello\n")
    }

    func testSilentAndSurplusConnectionsDoNotBlockOthers() throws {
        let server = try start(limits: .init(connections: 4, idleSeconds: 1))
        defer { server.stop() }
        let silent = try (0..<8).map { _ in try RawClient(port: server.address.port) }
        for client in silent { client.send("GET /he") }
        // Each is closed by the server: the surplus at once, the others when they have been silent too long.
        for client in silent { XCTAssertFalse(client.readToEnd().contains("200 OK")) }
        XCTAssertEqual(try get(server, "/hello").body, "hello\n")
    }

    func testStoppingClosesThePortAndMayBeRepeated() throws {
        let server = try start()
        let idle = try RawClient(port: server.address.port)
        XCTAssertEqual(try get(server, "/hello").body, "hello\n")
        server.stop()
        server.stop()
        XCTAssertEqual(idle.readToEnd(), "")
        XCTAssertThrowsError(try RawClient(port: server.address.port))
        let second = try HTTPServer(address: server.address, routes: [:])
        XCTAssertEqual(second.address, server.address)
        second.stop()
    }

    func testAPortInUseIsAnErrorInWords() throws {
        let server = try start()
        defer { server.stop() }
        XCTAssertThrowsError(try HTTPServer(address: server.address, routes: [:])) { error in
            XCTAssertEqual("\(error)", "cannot listen on \(server.address): Address already in use")
        }
        XCTAssertThrowsError(try HTTPServer(address: try XCTUnwrap(ListenAddress("192.0.2.1:0")), routes: [:]))
    }

    func testIPv6() throws {
        let server: HTTPServer
        do {
            server = try start("[::1]:0")
        } catch {
            throw XCTSkip("no IPv6 here: \(error)")
        }
        defer { server.stop() }
        XCTAssertEqual(try get(server, "/hello").body, "hello\n")
    }

    func testCurlUnderstandsIt() throws {
        let curl = URL(fileURLWithPath: "/usr/bin/curl")
        guard FileManager.default.isExecutableFile(atPath: curl.path) else { throw XCTSkip("no curl here") }
        let server = try start()
        defer { server.stop() }
        let process = Process()
        process.executableURL = curl
        process.arguments = [
            "--silent", "--show-error", "--max-time", "20", "--write-out", "%{http_code} %{content_type}",
            "http://\(server.address)/hello",
        ]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        XCTAssertEqual(text, "hello\n200 text/plain; charset=utf-8")
    }

    func testAddresses() {
        for text in ["127.0.0.1:0", "0.0.0.0:8080", "[::1]:65535"] {
            XCTAssertEqual(ListenAddress(text)?.description, text)
        }
        XCTAssertEqual(ListenAddress("localhost:80")?.description, "127.0.0.1:80")
        for text in [
            "", "127.0.0.1", ":80", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:+1", "example.org:80",
            "::1:80", "[::1]", "1.2.3:4", "[127.0.0.1]:1",
        ] {
            XCTAssertNil(ListenAddress(text), text)
        }
    }
}
