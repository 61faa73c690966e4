/// What stands in front of every request.
struct RequestHeader {
    let key: APIKey
    let version: Int16
    let correlationID: Int32
    let clientID: String?

    enum Refusal: Error {
        /// A key or version that is not served, or bytes that are no request: the connection closes.
        case close(String)
        /// ApiVersions in an unknown version is answered in version 0, and the client asks again.
        case unsupportedAPIVersions(correlationID: Int32)
    }

    /// Reads the header and leaves `reader` at the body, in the encoding of the request's version.
    init(from reader: inout WireReader) throws(Refusal) {
        let rawKey: Int16
        do throws(WireError) {
            rawKey = try reader.int16()
            version = try reader.int16()
            correlationID = try reader.int32()
        } catch {
            throw .close("unreadable request header: \(error)")
        }
        guard let known = APIKey(rawValue: rawKey) else { throw .close("unknown api key \(rawKey)") }
        key = known
        guard known.served.contains(version) else {
            if known == .apiVersions { throw .unsupportedAPIVersions(correlationID: correlationID) }
            throw .close("version \(version) of \(known) is not served")
        }
        do throws(WireError) {
            clientID = try reader.classicNullableString()
            reader = reader.continuing(flexible: known.isFlexible(version))
            try reader.skipTaggedFields()
        } catch {
            throw .close("unreadable request header: \(error)")
        }
    }
}
