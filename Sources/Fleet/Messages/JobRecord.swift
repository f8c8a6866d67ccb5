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
    /// Its share of its class, compared with other jobs': 1 is usual.
    package var weight: Int
    /// Its class.
    package var priority: JobPriority
    /// When the client sent it by its clock, in milliseconds since 1970, where it said so.
    package var submittedAt: Int64?
    /// When it ended by its coordinator's clock, in milliseconds since 1970.
    package var endedAt: Int64?
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
    package init(_ submission: Submission) {
        order = submission.order
        weight = submission.weight
        priority = submission.priority
        submittedAt = submission.submittedAt
        state = .running
        epoch = 1
    }

    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        order = try fields.decode(JobOrder.self, forKey: .order)
        weight = try fields.decodeIfPresent(Int.self, forKey: .weight) ?? 1
        priority = try fields.decodeIfPresent(JobPriority.self, forKey: .priority) ?? .normal
        submittedAt = try fields.decodeIfPresent(Int64.self, forKey: .submittedAt)
        endedAt = try fields.decodeIfPresent(Int64.self, forKey: .endedAt)
        state = try fields.decode(State.self, forKey: .state)
        epoch = try fields.decode(Int.self, forKey: .epoch)
        plan = try fields.decodeIfPresent(PlanResult.self, forKey: .plan)
        outcome = try fields.decodeIfPresent(JobOutcome.self, forKey: .outcome)
        error = try fields.decodeIfPresent(DrayError.self, forKey: .error)
        publishedRanges = try fields.decodeIfPresent(Int.self, forKey: .publishedRanges)
    }

    private enum CodingKeys: String, CodingKey {
        case order = "job"
        case weight
        case priority
        case submittedAt
        case endedAt
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
