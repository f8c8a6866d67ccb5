// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// A step of a job as its coordinator keeps it while it is under way or waits to be tried again.
struct WorkUnit {
    /// Which step of the job.
    struct Key: Hashable {
        let step: Step
        let index: Int

        init(_ step: Step, _ index: Int = 0) {
            self.step = step
            self.index = index
        }

        /// Sorts a job's steps: those without a range first.
        var order: Int { step == .range ? index + 1 : 0 }
    }

    /// Counts issues.
    var attempt = 0
    /// Counts failures that may be tried again.
    private(set) var failures = 0
    /// The epoch and attempt whose failure was counted last: a report of it may come again.
    private(set) var lastFailure = (epoch: 0, attempt: 0)
    /// Counts deadlines that passed.
    var expiries = 0
    /// Whether it is out.
    var isOut = false
    /// Whether, being out, it is known to have begun.
    var hasBegun = false
    /// Which partition of the tasks of its class it is or was in.
    var partition = 0
    /// When it is issued again, being out.
    var deadline = Milliseconds.max
    /// When it may be issued, not being out.
    var notBefore = Milliseconds.min
    /// Runs that began: whether each is still without an end. Bounded by ``runLimit``.
    private(set) var runs: [String: Bool] = [:]

    static let runLimit = 16

    /// How many runs began and have not ended.
    var openRuns: Int { runs.values.count { $0 } }

    /// Notes that a run began; reports come out of order, so it may have ended.
    mutating func begin(_ run: String) {
        guard runs[run] == nil, runs.count < Self.runLimit else { return }
        runs[run] = true
    }

    /// Counts a failure; false where it was counted before.
    mutating func fail(epoch: Int, attempt: Int) -> Bool {
        guard (epoch, attempt) > lastFailure else { return false }
        lastFailure = (epoch, attempt)
        failures += 1
        return true
    }

    /// Notes that a run ended.
    mutating func end(_ run: String) {
        guard runs[run] != nil || runs.count < Self.runLimit else { return }
        runs[run] = false
    }
}
