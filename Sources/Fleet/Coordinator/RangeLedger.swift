// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Conversion

/// The ranges of a plan: which are done, and what of them waits for its turn.
struct RangeLedger {
    /// What a result was.
    enum Verdict {
        /// The first for its range.
        case first
        /// It says what the first said.
        case repetition
        /// It says something else than the first: someone computed wrongly.
        case contradiction
    }

    /// How many ranges there are.
    let count: Int
    /// The first range that is missing: all before it are folded.
    private(set) var folded = 0
    /// How many ranges are done.
    private(set) var doneCount = 0
    /// The first range that was never issued.
    var nextFresh = 0
    private var fingerprints: [Int]
    private var waiting: [Int: RangeResult] = [:]

    init(count: Int) {
        self.count = count
        fingerprints = Array(repeating: 0, count: count)
    }

    /// Whether every range is folded.
    var isComplete: Bool { folded == count }

    /// Whether a range has a result; numbers that the plan does not have count as done.
    func isDone(at index: Int) -> Bool {
        !fingerprints.indices.contains(index) || fingerprints[index] != 0
    }

    /// Judges a result. Results far ahead of what may be issued are to be kept out by the caller.
    mutating func judge(_ index: Int, _ result: RangeResult) -> Verdict {
        // How much was read depends on what the worker's file system tells of holes.
        var said = result
        said.dataBytes = 0
        let hash = said.hashValue
        let fingerprint = hash == 0 ? 1 : hash
        let known = fingerprints[index]
        guard known == 0 else { return known == fingerprint ? .repetition : .contradiction }
        fingerprints[index] = fingerprint
        waiting[index] = result
        doneCount += 1
        return .first
    }

    /// The next result in range order, if it is there.
    mutating func next() -> (index: Int, result: RangeResult)? {
        guard let result = waiting.removeValue(forKey: folded) else { return nil }
        folded += 1
        return (folded - 1, result)
    }
}
