/// A GET or HEAD request, as a handler sees it.
public struct HTTPRequest: Sendable, Equatable {
    /// Decoded, without the query.
    public let path: String
    /// The query's parameters, decoded; of one that is given twice the first.
    public let query: [String: String]
}

public struct HTTPResponse: Sendable, Equatable {
    public let status: Int
    public let contentType: String
    public let body: [UInt8]

    public init(status: Int = 200, contentType: String, body: [UInt8]) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }

    public static func text(_ text: String, status: Int = 200) -> HTTPResponse {
        HTTPResponse(status: status, contentType: "text/plain; charset=utf-8", body: Array(text.utf8))
    }

    public static func json(_ text: String, status: Int = 200) -> HTTPResponse {
        HTTPResponse(status: status, contentType: "application/json", body: Array(text.utf8))
    }
}
