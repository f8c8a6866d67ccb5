// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

/// Where a stream's decoded bytes are zeros: runs of whole blocks of 64 KiB (the last may be short), in order.
///
/// However many there are, they take a bounded space: where they become too many the short ones are forgotten. What is forgotten
/// counts as data, which is always right.
package struct ZeroRuns: Sendable {
    /// How many runs there are at most.
    let limit: Int
    package private(set) var runs: [Range<UInt64>] = []
    /// Shorter runs are forgotten.
    private var shortest: UInt64 = 1
    /// The last run, which may grow still.
    private var last: Range<UInt64>?

    /// No runs yet.
    package init(limit: Int = 1 << 17) { self.limit = limit }

    /// How much memory they take, in bytes.
    var memory: Int { runs.capacity * MemoryLayout<Range<UInt64>>.stride }

    /// Adds a stretch of zeros behind all others.
    package mutating func append(_ bytes: Range<UInt64>) {
        guard let run = last, run.upperBound == bytes.lowerBound else {
            addLast()
            last = bytes
            return
        }
        last = run.lowerBound..<bytes.upperBound
    }

    /// Nothing more is added: what there is takes no more space than it needs.
    package mutating func finish() {
        addLast()
        runs = runs.map { $0 }
    }

    private mutating func addLast() {
        guard let run = last else { return }
        last = nil
        guard run.upperBound - run.lowerBound >= shortest else { return }
        runs.append(run)
        while runs.count > limit {
            shortest = max(shortest * 2, UInt64(UnitSize.block) * 2)
            let bound = shortest
            runs.removeAll { $0.upperBound - $0.lowerBound < bound }
        }
    }

    /// The run that `offset` lies in, of zeros or of what lies between; it ends at most at `end`.
    package func run(at offset: UInt64, end: UInt64) -> (isZero: Bool, bytes: Range<UInt64>) {
        let next = firstIndex(endingBehind: offset)
        let before = next > 0 ? runs[next - 1].upperBound : 0
        guard next < runs.count else { return (false, before..<end) }
        let run = runs[next]
        if run.contains(offset) { return (true, run.lowerBound..<min(run.upperBound, end)) }
        return (false, before..<min(run.lowerBound, end))
    }

    /// How many bytes of `bytes` lie in no run.
    package func dataCount(in bytes: Range<UInt64>) -> UInt64 {
        var count = bytes.upperBound - bytes.lowerBound
        var index = firstIndex(endingBehind: bytes.lowerBound)
        while index < runs.count, runs[index].lowerBound < bytes.upperBound {
            let inside = runs[index].clamped(to: bytes)
            count -= inside.upperBound - inside.lowerBound
            index += 1
        }
        return count
    }

    private func firstIndex(endingBehind offset: UInt64) -> Int {
        var low = 0
        var high = runs.count
        while low < high {
            let middle = (low + high) / 2
            if runs[middle].upperBound > offset { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
