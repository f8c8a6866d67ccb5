// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// Random numbers that a seed replays: SplitMix64.
package struct SeededGenerator: RandomNumberGenerator {
    /// What replays the numbers.
    package let seed: UInt64
    private var state: UInt64

    /// Numbers from a given seed.
    package init(seed: UInt64) {
        self.seed = seed
        state = seed
    }

    /// Numbers from the seed in DRAY_SEED, or from a new one; printed with `label`, so that a failure can be replayed.
    package init(for label: String) {
        let given = environmentVariable("DRAY_SEED").flatMap { UInt64($0) }
        self.init(seed: given ?? UInt64.random(in: 0...999_999_999))
        print("\(label): DRAY_SEED=\(seed)")
    }

    /// The seeds of a test that is run for several: one where DRAY_SEED names it, else `count` new ones.
    package static func seeds(_ count: Int) -> [UInt64] {
        if let given = environmentVariable("DRAY_SEED").flatMap({ UInt64($0) }) { return [given] }
        return (0..<count).map { _ in UInt64.random(in: 0...999_999_999) }
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Self.mix(state)
    }

    /// A number that depends on every bit of `value`: the last step of SplitMix64.
    package static func mix(_ value: UInt64) -> UInt64 {
        var mixed = value
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
