import Foundation

/// How much the fuzz tests try, and what.
public enum Fuzz {
    /// The number of inputs: `FUZZ_INPUTS` (a million in `make fuzz`), or what fits into a test run that people wait for.
    public static func inputs(otherwise default: Int) -> Int { number("FUZZ_INPUTS") ?? `default` }

    /// Random numbers that are the same in every run, unless `FUZZ_SEED` asks for others.
    public static func random() -> SeededRandom { SeededRandom(seed: UInt64(number("FUZZ_SEED") ?? 20_261_121)) }

    private static func number(_ name: String) -> Int? {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
    }
}
