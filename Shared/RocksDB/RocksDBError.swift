internal import CRocksDB
internal import Glibc

/// What RocksDB refused or could not do.
public struct RocksDBError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Kind: Hashable, Sendable {
        /// Another process, or another part of this one, has the folder open.
        case locked
        /// What is on disk does not fit together: the folder has to be set aside.
        case corrupted
        /// The disk or the file system: full, read-only, no permission.
        case inputOutput
        case other
    }

    public let kind: Kind
    /// What was attempted, as a phrase that follows "while".
    public let operation: String
    /// The database's folder.
    public let path: String
    /// RocksDB's own words.
    public let message: String

    public var description: String { "\(message) while \(operation) \(path)" }

    init(_ operation: String, path: String, message: String) {
        self.operation = operation
        self.path = path
        self.message = message
        // RocksDB's C interface hands out the text of a status, which begins with its code.
        if message.hasPrefix("IO error: ") && (message.contains("lock file") || message.contains("lock hold by")) {
            kind = .locked
        } else if message.hasPrefix("Corruption: ") {
            kind = .corrupted
        } else if message.hasPrefix("IO error: ") {
            kind = .inputOutput
        } else {
            kind = .other
        }
    }
}

/// Runs a call of RocksDB's that reports by an error text, and takes the text over.
@inline(__always)
func attempt<Result>(
    _ operation: @autoclosure () -> String, _ path: @autoclosure () -> String,
    _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
) throws(RocksDBError) -> Result {
    var text: UnsafeMutablePointer<CChar>?
    let result = body(&text)
    guard let text else { return result }
    defer { rocksdb_free(text) }
    throw RocksDBError(operation(), path: path(), message: String(cString: text))
}
