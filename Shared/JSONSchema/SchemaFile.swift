internal import Glibc

/// Schemas in local files, by `file:` URI: so that one file may refer to another beside it.
public enum SchemaFile {
    /// Why a file could not be read.
    public struct Failure: Error, CustomStringConvertible {
        public let path: String
        public let reason: String

        public var description: String { "\(path): \(reason)" }
    }

    private static let maximumBytes = 16 << 20

    /// The URI of a file, for ``JSONSchema/init(_:uri:formats:load:)-([UInt8],_,_,_)``: relative references start from it.
    public static func uri(path: String) -> String {
        var text = "file://"
        if !path.hasPrefix("/") {
            if let folder = getcwd(nil, 0) {
                text += escaped(String(cString: folder)) + "/"
                free(folder)
            }
        }
        return text + escaped(path)
    }

    /// Reads the file of a `file:` URI; nil for other URIs. What a ``JSONSchema`` takes as its `load`.
    public static func load(_ uri: String) throws -> [UInt8]? {
        try path(uri: uri).map { try read(path: $0) }
    }

    /// The path of a `file:` URI; nil for other URIs, and for files of other machines.
    public static func path(uri: String) -> String? {
        let reference = URIReference(uri)
        guard reference.scheme == "file", (reference.authority ?? "").isEmpty else { return nil }
        return URIReference.percentDecoded(reference.path)
    }

    /// Reads a file whole.
    public static func read(path: String) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(path: path, reason: String(cString: strerror(errno))) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = chunk.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count == 0 { return bytes }
            if count < 0 {
                if errno == EINTR { continue }
                throw Failure(path: path, reason: String(cString: strerror(errno)))
            }
            bytes += chunk[..<count]
            if bytes.count > maximumBytes { throw Failure(path: path, reason: "longer than \(maximumBytes) bytes") }
        }
    }

    private static func escaped(_ path: String) -> String {
        var text = ""
        for byte in path.utf8 {
            if byte.isLetter || byte.isDigit || "-._~/!$&'()*+,;=:@".utf8.contains(byte) {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                text += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return text
    }
}
