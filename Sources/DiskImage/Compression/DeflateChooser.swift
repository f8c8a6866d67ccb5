// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// Goes from cluster to cluster and tells the level's place in ``DeflateBalance/levels``.
struct DeflateChooser {
    let balance: DeflateBalance
    /// How well the last cluster was compressed, in per cent of its length.
    private var lastPercent = 0
    /// For each percentage, the level's place.
    private let places: [Int]
    private let last: Int

    init(_ balance: DeflateBalance) {
        self.balance = balance
        let levels = balance.levels
        places = (0...100).map { levels.firstIndex(of: balance.level(after: $0)) ?? 0 }
        last = levels.count - 1
    }

    /// Forgets the cluster before.
    mutating func begin() { lastPercent = 0 }

    /// Takes note of what a cluster of `length` bytes became.
    mutating func note(_ count: Int, of length: Int) {
        lastPercent = min(count * 100 / length, 100)
    }

    /// What the next cluster is encoded with.
    var index: Int { places[lastPercent] }

    /// What the noted cluster is to be tried with once more.
    var indexForRetry: Int? {
        guard let hard = balance.hard, lastPercent >= hard else { return nil }
        return last
    }
}
