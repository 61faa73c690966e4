/// What this broker reads of the consumer protocol inside group metadata, which otherwise is the clients' own affair.
enum Subscription {
    /// The topics a member's metadata subscribes to; nil if it is not a consumer's.
    static func topics(_ metadata: [UInt8]) -> Set<String>? {
        metadata.withUnsafeBytes { bytes in
            var reader = WireReader(bytes, flexible: false)
            do throws(WireError) {
                _ = try reader.int16()
                return Set(try reader.strings())
            } catch {
                return nil
            }
        }
    }
}
