// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
package import Conversion

/// What a client asks for: a record of `requests`.
package enum RequestMessage: Sendable, Hashable {
    /// Do this job; a second request with its id is ignored.
    case submit(Submission)
    /// Stop the job with this id.
    case cancel(String)

    /// The job's id.
    package var job: String {
        switch self {
        case .submit(let submission): submission.order.id
        case .cancel(let id): id
        }
    }
}

/// A job as a client asks for it.
package struct Submission: Sendable, Hashable {
    /// What weights there are.
    package static let weights = 1...100
    /// The most bytes that a request may have: every task of the job carries the order.
    package static let largestRequest = 64 << 10
    /// The last time that can be written: the end of the year 9999, in milliseconds since 1970.
    private static let latest: Int64 = 253_402_300_799_999

    /// The job with its request.
    package var order: JobOrder
    /// Its share of its class, compared with other jobs': 1 is usual.
    package var weight: Int
    /// Its class.
    package var priority: JobPriority
    /// When it was sent by the client's clock, in milliseconds since 1970.
    package var submittedAt: Int64?

    /// Asks for a job.
    package init(
        _ order: JobOrder,
        weight: Int = 1,
        priority: JobPriority = .normal,
        submittedAt: Int64? = nil
    ) {
        self.order = order
        self.weight = weight
        self.priority = priority
        self.submittedAt = submittedAt
    }

    /// Why the job is refused, if it is: requests come from strangers.
    package var fault: DrayError? {
        guard Self.weights.contains(weight) else {
            return DrayError(.invalid, "the weight \(weight) is not within 1 to 100")
        }
        guard (0...Self.latest).contains(submittedAt ?? 0) else {
            return DrayError(.invalid, "the time of submission is not within 1970 to 9999")
        }
        return nil
    }
}
