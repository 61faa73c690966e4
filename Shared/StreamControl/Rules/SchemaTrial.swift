internal import Glibc
internal import JSON
internal import JSONSchema
internal import StreamKitService

/// Judges files by a schema, as `streamctl validate` shows it.
public final class SchemaTrial {
    private static let fileBytesMax = 256 << 20

    private let record = JSONRecord()
    private let validator: SchemaValidator
    /// What the schema says without effect; misspelt keywords, mostly.
    public let warnings: [String]

    /// - Parameters:
    ///   - schemaFile: others that it refers to are read beside it; nothing is fetched over a network.
    ///   - assertsFormats: whether `format` is checked.
    public init(schemaFile: String, assertsFormats: Bool) throws(TrialError) {
        let text: [UInt8]
        do { text = try FileSystem.read(schemaFile, limit: Self.fileBytesMax) } catch { throw .unusable("\(error)") }
        let schema: JSONSchema
        do throws(SchemaError) {
            schema = try JSONSchema(
                text, uri: FileURI.of(schemaFile), formats: assertsFormats ? .assertion : .annotation
            ) { uri in
                try FileURI.path(uri).map { try FileSystem.read($0, limit: Self.fileBytesMax) }
            }
        } catch {
            throw .unusable(error.problems.map { "\(schemaFile): \($0)" }.joined(separator: "\n"))
        }
        warnings = schema.warnings.map { "\(schemaFile): \($0)" }
        validator = SchemaValidator(schema, record: record)
    }

    /// What is wrong with a file's value, a line each; none if it is valid.
    public func problems(_ bytes: [UInt8]) -> [String] {
        bytes.withUnsafeBytes { bytes in
            do { try record.read(bytes) } catch { return ["\(error)"] }
            defer { record.clear() }
            return validator.violations().map { violation in
                let place = violation.instancePointer.isEmpty ? "" : "\(violation.instancePointer): "
                return "\(place)\(violation.message) (\(violation.schemaLocation))"
            }
        }
    }
}

/// Paths as URIs and back (RFC 8089).
enum FileURI {
    static func of(_ path: String) -> String {
        var absolute = path
        if let resolved = realpath(path, nil) {
            absolute = String(cString: resolved)
            free(resolved)
        }
        var uri = "file://"
        for byte in absolute.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"), UInt8(ascii: "/"):
                uri.unicodeScalars.append(Unicode.Scalar(byte))
            default: uri += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return uri
    }

    /// Nil if the URI names no file of this machine.
    static func path(_ uri: String) -> String? {
        guard uri.hasPrefix("file:///") else { return nil }
        var bytes: [UInt8] = []
        var rest = uri.utf8.dropFirst("file://".utf8.count)
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let decoded = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else { return nil }
            bytes.append(decoded)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
