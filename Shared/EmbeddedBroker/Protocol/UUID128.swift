/// A topic's id: 128 bits as the protocol carries them.
package struct UUID128: Hashable, Sendable {
    package let high: UInt64
    package let low: UInt64

    package static let zero = UUID128(high: 0, low: 0)

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// A version 4 id of two random words.
    init(randomHigh: UInt64, randomLow: UInt64) {
        high = randomHigh & 0xffff_ffff_ffff_0fff | 0x4000
        low = randomLow & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000
    }

    /// The id in hexadecimal, 32 digits.
    var hexadecimal: String {
        [high, low].map { word in
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}
