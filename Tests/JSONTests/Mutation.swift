import TestSupport

/// Damages texts in ways that hit their grammar.
enum Mutation {
    static let records = [
        #"{"order_id":"ORD-00001234","customer_id":"CUST-eu-99","amount":129.95,"currency":"EUR","items_count":3,"created_at":"2026-11-21T14:30:05.120Z","status":"confirmed"}"#,
        #"{"a":{"b":[1,2.50,-3e+10,{"c":null,"d":[true,false]}],"a":"x"},"b":"\u00e9\ud83d\ude00\n","c":"grüß 日本 😀"}"#,
        #"[[],{},"",0,-0.0,1E5,"\"\\\/\b\f\n\r\t",{"":[[[[]]]]}]"#, #" { "k" : [ 1 , 2 ] , "l" : { } } "#,
        "123456789012345678901234567890",
        #"{"a":1,"a":2}"#, #""\ud800""#,
    ].map { Array($0.utf8) }

    private static let fragments = [
        "\"", "\\", "{", "}", "[", "]", ",", ":", "\\u", "\\ud83d", "\\ude00", "0", "-", "e", ".", "null", "true", " ",
        "\n", "\"a\":", "é", "😀",
        "2026-12-31T23:59:60Z", "1e", "+", "Z",
    ].map { Array($0.utf8) }

    /// One of the texts with a few random changes.
    static func mutate(_ random: inout SeededRandom, _ seeds: [[UInt8]]) -> [UInt8] {
        var bytes = seeds[random.below(seeds.count)]
        for _ in 0..<random.below(4) {
            let position = random.below(bytes.count + 1)
            switch random.below(6) {
            case 0: if position < bytes.count { bytes[position] = UInt8(truncatingIfNeeded: random.next()) }
            case 1: bytes.insert(contentsOf: fragments[random.below(fragments.count)], at: position)
            case 2: bytes.removeSubrange(position..<min(bytes.count, position + 1 + random.below(4)))
            case 3: bytes.removeSubrange(position...)
            case 4: if position < bytes.count { bytes[position] ^= 1 << UInt8(random.below(8)) }
            default:
                let start = random.below(bytes.count + 1)
                bytes.insert(contentsOf: bytes[start..<min(bytes.count, start + random.below(30))], at: position)
            }
            if bytes.isEmpty { break }
        }
        return bytes
    }
}
