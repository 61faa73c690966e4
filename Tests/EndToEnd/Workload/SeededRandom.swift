import Foundation

/// SplitMix64: the same seed gives the same run.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    /// True so many times in a hundred.
    mutating func chance(percent: Double) -> Bool { Double.random(in: 0..<100, using: &self) < percent }

    mutating func pick<Element>(_ choices: [Element]) -> Element {
        choices[Int.random(in: 0..<choices.count, using: &self)]
    }

    /// The seed of this run: `SEED` of the environment repeats one.
    static let ofThisRun: UInt64 = {
        let seed = ProcessInfo.processInfo.environment["SEED"].flatMap { UInt64($0) } ?? .random(in: 1...999_999)
        say("end-to-end tests: SEED=\(seed) repeats this run")
        return seed
    }()
}

/// A line on standard error, where it is seen whatever becomes of the test.
func say(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }
