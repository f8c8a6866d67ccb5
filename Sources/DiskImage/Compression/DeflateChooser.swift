// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// Goes from cluster to cluster and tells the method's place in ``DeflateBalance/methods``.
struct DeflateChooser {
    let balance: DeflateBalance
    /// How well the last cluster was compressed, in per cent of its length.
    private var lastPercent = 0
    /// For each percentage, the method's place.
    private let places: [Int]
    private let last: Int

    init(_ balance: DeflateBalance) {
        self.balance = balance
        let methods = balance.methods
        places = (0...100).map { methods.firstIndex(of: balance.method(after: $0)) ?? 0 }
        last = methods.count - 1
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
    var indexForRetry: Int? { balance.hard.contains(lastPercent) ? last : nil }
}
