// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO

/// Milliseconds of a clock that the caller chooses; only differences matter.
package typealias Milliseconds = Int64

/// The limits and times that a coordinator goes by.
package struct CoordinatorSettings: Sendable {
    /// How long records of jobs stay that have ended.
    package struct Retention: Sendable, Hashable {
        /// In `jobs`: as long as someone may ask what became of a job.
        package var jobs: Milliseconds = 7 * 86_400_000
        /// In `control`: as long as a worker may have a task of it. Every worker reads all of `control` when it starts.
        package var control: Milliseconds = 3_600_000

        /// The usual times.
        package init() {}
    }

    /// The most ranges that a plan may have: the ledger of a job takes 24 bytes a range.
    package static let largestRangeCount = 1 << 20

    /// How many tasks of a class may be out at once, over all jobs: about three times the slots of the largest fleet.
    package var window = 1024
    /// How many tasks a job that is alone may have out at first: the window grows with what is seen to run.
    package var firstWindow = 24
    /// How many tasks each job may have out, however many jobs there are. Beyond a full window only as many more as fill it again.
    package var smallestWindow = 2
    /// How many windows a range may be ahead of the first one that is missing.
    package var reach = 4
    /// How failures are met.
    package var retry = RetryPolicy.fleet
    /// How long a task may lie unstarted before it is issued again; doubles, to four times as long.
    package var queueLease: Milliseconds = 120_000
    /// How long a running task may be silent before it is issued again elsewhere; doubles, to four times as long.
    package var runLease: Milliseconds = 60_000
    /// What a lease may grow to.
    package var longestLease: Milliseconds = 900_000
    /// How long a job that ends early waits for its tasks to stop before it cleans up.
    package var drain: Milliseconds = 120_000
    /// How long it waits, at the most, for runs that began under an earlier coordinator: their workers may be gone. What such a run
    /// writes later is refused, and a plan step among them is cleaned up after once more.
    package var takenDrain: Milliseconds = 10_000
    /// Whether results stay until their job has ended, so that another coordinator can take over.
    package var keepsResults = true
    /// Whether a job that is taken over is planned anew, to see that its source is unchanged, before it goes on.
    package var plansAgain = false
    /// Whether `events` is written.
    package var publishesEvents = true
    /// How many range events may be published a second time when another coordinator takes over.
    package var eventMarkInterval = 256
    /// How long records of ended jobs stay; nil keeps them.
    package var retention: Retention? = Retention()
    /// Seeds the jitter of back-off times.
    package var seed: UInt64 = 0
    /// Makes the fold of a job's digests, from the digest's name.
    package var makeFolder: @Sendable (String) throws(DrayError) -> any DigestFolding

    /// The settings of a fleet.
    package init(makeFolder: @escaping @Sendable (String) throws(DrayError) -> any DigestFolding) {
        self.makeFolder = makeFolder
    }
}

/// How failures are met.
package struct RetryPolicy: Sendable, Hashable {
    /// How often a step that fails with a retriable error is run in all.
    package var attempts: Int
    /// The first back-off; it doubles with each failure.
    package var base: Milliseconds
    /// What the back-off may grow to.
    package var cap: Milliseconds
    /// After how many beginnings without an end a task is given up; nil never does.
    package var unendedStarts: Int?

    /// Makes a policy.
    package init(attempts: Int, base: Milliseconds, cap: Milliseconds, unendedStarts: Int?) {
        self.attempts = attempts
        self.base = base
        self.cap = cap
        self.unendedStarts = unendedStarts
    }

    /// For fleets: five attempts, from 1 s to 5 min apart.
    package static let fleet = RetryPolicy(
        attempts: 5,
        base: 1000,
        cap: 300_000,
        unendedStarts: 3
    )
    /// For one process with a person before it: one quick second attempt.
    package static let local = RetryPolicy(attempts: 2, base: 20, cap: 20, unendedStarts: nil)

    /// Whether trying again may help.
    package static func isRetriable(_ error: DrayError) -> Bool { error.mayPass }

    /// How long to wait after the `failures`th failure: exponential, 20 % up or down by `salt`.
    func backoff(failures: Int, salt: UInt64) -> Milliseconds {
        let exponent = min(max(failures - 1, 0), 20)
        let plain = min(cap, base << Int64(exponent))
        let jitter = Int64(salt % 401) - 200
        return max(0, plain + plain * jitter / 1000)
    }
}
