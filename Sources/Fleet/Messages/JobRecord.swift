// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
package import Conversion

/// What is to be known of a job: a record of `jobs`, of which the last one with the job's id counts.
package struct JobRecord: Sendable, Hashable, Codable {
    /// How far a job is.
    package enum State: String, Sendable, Hashable, Codable {
        /// It is accepted and being worked on.
        case running
        /// It fails: leftovers are being removed.
        case failing
        /// Someone cancelled it: leftovers are being removed.
        case cancelling
        /// It has ended well.
        case finished
        /// It has ended with an error.
        case failed
        /// It has ended because someone cancelled it.
        case cancelled

        /// Whether nothing more happens.
        package var isEnd: Bool { self == .finished || self == .failed || self == .cancelled }
    }

    /// The job with its request.
    package let order: JobOrder
    /// Its share of the fleet, compared with other jobs': 1 is usual.
    package var weight: Int
    /// How far it is.
    package var state: State
    /// Counts the coordinators that had it, from 1.
    package var epoch: Int
    /// The plan, once there is one.
    package var plan: PlanResult?
    /// What came of it, when it has ended well.
    package var outcome: JobOutcome?
    /// Why it fails or failed.
    package var error: DrayError?
    /// How many ranges' events are known to be published.
    package var publishedRanges: Int?

    /// Makes the first record of a job.
    package init(order: JobOrder, weight: Int = 1) {
        self.order = order
        self.weight = weight
        state = .running
        epoch = 1
    }

    private enum CodingKeys: String, CodingKey {
        case order = "job"
        case weight
        case state
        case epoch
        case plan
        case outcome
        case error
        case publishedRanges
    }
}

/// What came of a job that ended well.
package struct JobOutcome: Sendable, Hashable, Codable {
    /// The digest of the guest content in hexadecimal, where the job wanted one.
    package var digest: String?
    /// The virtual disk's size in bytes.
    package var guestSize: UInt64
    /// How many ranges there were.
    package var rangeCount: Int
    /// How many bytes of data were read.
    package var dataBytes: UInt64
    /// The first guest offset at which compared images differ.
    package var mismatch: UInt64?
    /// The finished target's length in bytes.
    package var targetLength: UInt64?
    /// How often a step was run again after a failure.
    package var retries: Int

    /// Makes an outcome.
    package init(guestSize: UInt64, rangeCount: Int) {
        self.guestSize = guestSize
        self.rangeCount = rangeCount
        dataBytes = 0
        retries = 0
    }
}
