import Foundation
import TestSupport

extension SeededRandom {
    /// The seed of this run: `SEED` of the environment repeats one.
    static let ofThisRun: UInt64 = {
        let seed = ProcessInfo.processInfo.environment["SEED"].flatMap { UInt64($0) } ?? .random(in: 1...999_999)
        say("end-to-end tests: SEED=\(seed) repeats this run")
        return seed
    }()
}

/// A line on standard error, where it is seen whatever becomes of the test.
func say(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }
