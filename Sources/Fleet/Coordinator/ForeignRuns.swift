// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// Runs of a job's steps that began under an earlier coordinator, as far as `results` tells.
///
/// What that coordinator had issued and nobody has begun is not counted: a worker learns that the job ends, or reports that it begins.
struct ForeignRuns {
    /// How many runs are kept: more than are out at once.
    static let limit = 4096

    /// Until when a job that ends early waits for them.
    var patienceEnd = Milliseconds.min
    private var open: Set<String> = []

    /// Takes a worker's report into account.
    mutating func note(_ result: ResultMessage) {
        if result.isOutcome {
            open.remove(result.run)
        } else if open.count < Self.limit {
            open.insert(result.run)
        }
    }

    /// Until when they are waited for at `now`; nil where there is nothing to wait for any more.
    func awaited(_ now: Milliseconds) -> Milliseconds? {
        open.isEmpty || patienceEnd <= now ? nil : patienceEnd
    }
}
