// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// What every worker must know of a job: a record of `control`, of which the last one with the job's id counts.
package struct ControlRecord: Sendable, Hashable, Codable {
    /// What is to become of the job's tasks.
    package enum State: String, Sendable, Hashable, Codable {
        /// They run.
        case running
        /// They stop, but for `discard`.
        case cancelled
        /// They stop: the job has ended.
        case finished
    }

    /// A range's place in the target.
    package struct Reservation: Sendable, Hashable, Codable {
        /// The range's number.
        package let index: Int
        /// The host offset of its payload, in bytes.
        package let offset: UInt64

        /// Names a place.
        package init(index: Int, offset: UInt64) {
            self.index = index
            self.offset = offset
        }
    }

    /// The job's id.
    package let job: String
    /// What is to become of the job's tasks.
    package let state: State
    /// The coordinator's epoch for the job.
    package let epoch: Int
    /// The hash of the plan that the reservations belong to.
    package let plan: String?
    /// The places of all ranges that are under way.
    package let reservations: [Reservation]
    /// Ranges that no worker may begin: each began too often without an end.
    package let refused: [Int]

    /// Makes a record.
    package init(
        job: String,
        state: State,
        epoch: Int,
        plan: String? = nil,
        reservations: [Reservation] = [],
        refused: [Int] = []
    ) {
        self.job = job
        self.state = state
        self.epoch = epoch
        self.plan = plan
        self.reservations = reservations
        self.refused = refused
    }
}
