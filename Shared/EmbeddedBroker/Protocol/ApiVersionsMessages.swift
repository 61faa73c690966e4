struct ApiVersionsRequest: RequestMessage {
    /// False if a client names its software in characters the protocol does not allow (KIP-511).
    let hasValidSoftwareName: Bool

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard version >= 3 else {
            hasValidSoftwareName = true
            return
        }
        let name = try reader.string()
        let softwareVersion = try reader.string()
        hasValidSoftwareName = Self.isValid(name) && Self.isValid(softwareVersion)
    }

    private static func isValid(_ text: String) -> Bool {
        func isLetterOrDigit(_ byte: UInt8) -> Bool {
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
        }
        guard let first = text.utf8.first, let last = text.utf8.last else { return false }
        return isLetterOrDigit(first) && isLetterOrDigit(last)
            && text.utf8.allSatisfy { isLetterOrDigit($0) || $0 == 0x2d || $0 == 0x2e }
    }
}

struct ApiVersionsResponse: ResponseMessage {
    var error = ErrorCode.none

    func write(to writer: inout WireWriter, version: Int16) {
        writer.error(error)
        writer.structures(APIKey.allCases) { writer, key in
            writer.int16(key.rawValue)
            writer.int16(key.advertised.lowerBound)
            writer.int16(key.advertised.upperBound)
        }
        if version >= 1 { writer.throttle() }
    }
}
