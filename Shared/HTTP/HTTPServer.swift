internal import CMicroHTTP
internal import Glibc
internal import Synchronization

/// Why a server does not start.
public struct HTTPServerError: Error, Equatable, CustomStringConvertible {
    public let description: String
}

/// A small HTTP/1.1 server for pages that are made on request: GET and HEAD, exact paths, one thread.
///
/// It is meant for operators and probes, not for the crowd: connections, header sizes and idle times are bounded, and what it
/// cannot understand is answered with 400.
public final class HTTPServer: Sendable {
    /// Called on the server's thread, one request at a time.
    public typealias Handler = @Sendable (HTTPRequest) -> HTTPResponse

    public struct Limits: Sendable {
        /// Open at a time; further ones are closed.
        public var connections: Int
        /// Of a request's line and headers; more is answered with 431 or 414.
        public var requestBytes: Int
        /// After which a silent connection is closed.
        public var idleSeconds: Int

        public init(connections: Int = 64, requestBytes: Int = 16 << 10, idleSeconds: Int = 15) {
            self.connections = connections
            self.requestBytes = requestBytes
            self.idleSeconds = idleSeconds
        }
    }

    /// Where it listens; the port is the real one.
    public let address: ListenAddress
    private let daemon: Mutex<Daemon?>

    /// Starts to listen.
    ///
    /// - Parameter routes: handlers by path, each beginning with `/`.
    public init(
        address: ListenAddress, limits: Limits = Limits(), routes: [String: Handler]
    ) throws(HTTPServerError) {
        let socket = try ListeningSocket.open(address)
        self.address = socket.address
        let routes = Unmanaged.passRetained(Routes(routes))
        let pointer = cmicrohttp_start(
            socket.descriptor, UInt32(clamping: limits.connections), limits.requestBytes,
            UInt32(clamping: limits.idleSeconds), { serve($0, $1, $2, $3, $6, $7) }, routes.toOpaque())
        guard let pointer else {
            routes.release()
            close(socket.descriptor)
            throw HTTPServerError(description: "cannot serve \(address): no thread for it")
        }
        daemon = Mutex(Daemon(pointer: pointer, routes: routes))
    }

    deinit {
        stop()
    }

    /// Closes the port and every connection; returns when no handler runs any more. Not to be called by a handler.
    public func stop() {
        let daemon = daemon.withLock { $0.take() }
        daemon?.stop()
    }

    /// libmicrohttpd's daemon and what its callbacks see. The pointer is used once, by `stop`.
    private struct Daemon: @unchecked Sendable {
        let pointer: OpaquePointer
        let routes: Unmanaged<Routes>

        func stop() {
            MHD_stop_daemon(pointer)
            routes.release()
        }
    }
}

private final class Routes: Sendable {
    let handlers: [String: HTTPServer.Handler]

    init(_ handlers: [String: HTTPServer.Handler]) {
        self.handlers = handlers
    }

    func answer(_ request: HTTPRequest) -> HTTPResponse {
        handlers[request.path]?(request) ?? .text("404 nothing at \(request.path)\n", status: 404)
    }
}

/// libmicrohttpd's access handler: once when the headers are there, again for each piece of a body, and once at the end.
private func serve(
    _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?, _ url: UnsafePointer<CChar>?,
    _ method: UnsafePointer<CChar>?, _ bodyBytes: UnsafeMutablePointer<Int>?,
    _ progress: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
    guard let context, let connection, let url, let method, let bodyBytes, let progress else { return .NO }
    let isHead = strcmp(method, MHD_HTTP_METHOD_HEAD) == 0
    guard isHead || strcmp(method, MHD_HTTP_METHOD_GET) == 0 else {
        return send(.text("405 only GET and HEAD\n", status: 405), connection)
    }
    guard progress.pointee != nil else {
        progress.pointee = context
        return .YES
    }
    guard bodyBytes.pointee == 0 else {
        bodyBytes.pointee = 0
        return .YES
    }
    let routes = Unmanaged<Routes>.fromOpaque(context).takeUnretainedValue()
    let request = HTTPRequest(path: String(cString: url), query: query(of: connection))
    return send(routes.answer(request), connection)
}

private func query(of connection: OpaquePointer) -> [String: String] {
    var query: [String: String] = [:]
    withUnsafeMutablePointer(to: &query) { query in
        _ = MHD_get_connection_values(
            connection, .GET_ARGUMENT_KIND,
            { context, _, key, value in
                guard let query = context?.assumingMemoryBound(to: [String: String].self), let key else { return .NO }
                let name = String(cString: key)
                if query.pointee[name] == nil { query.pointee[name] = value.map { String(cString: $0) } ?? "" }
                return .YES
            }, query)
    }
    return query
}

private func send(_ response: HTTPResponse, _ connection: OpaquePointer) -> MHD_Result {
    let made = response.body.withUnsafeBytes { body in
        // The library copies the body; a `const` was forgotten in its declaration.
        MHD_create_response_from_buffer(
            body.count, UnsafeMutableRawPointer(mutating: body.baseAddress), .RESPMEM_MUST_COPY)
    }
    guard let made else { return .NO }
    defer { MHD_destroy_response(made) }
    MHD_add_response_header(made, MHD_HTTP_HEADER_CONTENT_TYPE, response.contentType)
    MHD_add_response_header(made, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store")
    if response.status == 405 { MHD_add_response_header(made, MHD_HTTP_HEADER_ALLOW, "GET, HEAD") }
    return MHD_queue_response(connection, UInt32(clamping: response.status), made)
}
