/// The hashes that expressions know, for code that makes identifiers.
public enum Digest {
    /// SHA-256 in lower-case hexadecimal, as `sha256()` gives it.
    public static func sha256Hex(_ bytes: [UInt8]) -> String {
        hexadecimal(SHA256.hash(bytes))
    }
}
