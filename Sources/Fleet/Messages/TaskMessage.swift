// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import Conversion

/// The order to do one step of a job: a record of `tasks`.
package struct TaskMessage: Sendable, Hashable, Codable {
    /// Where the results of a job's ranges are in `results`, for the sealer.
    package struct Span: Sendable, Hashable, Codable {
        /// The partition.
        package let partition: Int
        /// The offset of the first record.
        package let from: Int64
        /// The offset behind the last record.
        package let to: Int64

        /// Names a run of records.
        package init(partition: Int, from: Int64, to: Int64) {
            self.partition = partition
            self.from = from
            self.to = to
        }
    }

    /// The job with its request.
    package let order: JobOrder
    /// The kind of step.
    package let step: Step
    /// The hash of the plan, for ranges and sealing.
    package let plan: String?
    /// The range's number; 0 for other steps.
    package let index: Int
    /// Counts the times that this step was issued, from 1.
    package let attempt: Int
    /// The coordinator's epoch for the job.
    package let epoch: Int
    /// Whether the worker must run nothing beside it: an earlier attempt began and never ended.
    package let isIsolated: Bool
    /// How many ranges the plan has, for the sealer.
    package let rangeCount: Int?
    /// Where the results are, for the sealer.
    package let results: Span?
    /// The results themselves, without their digests, where they are few: the sealer need not read them.
    package let given: GivenResults?
    /// The host offset of the range's payload, where it is known before the range asks.
    package let place: UInt64?

    /// Makes an order.
    package init(
        order: JobOrder,
        name: TaskName,
        attempt: Int,
        epoch: Int,
        isIsolated: Bool = false,
        rangeCount: Int? = nil,
        results: Span? = nil,
        given: GivenResults? = nil,
        place: UInt64? = nil
    ) {
        self.order = order
        step = name.step
        plan = name.plan
        index = name.index
        self.attempt = attempt
        self.epoch = epoch
        self.isIsolated = isIsolated
        self.rangeCount = rangeCount
        self.results = results
        self.given = given
        self.place = place
    }

    /// Which piece of work it is.
    package var name: TaskName { TaskName(job: order.id, step: step, plan: plan, index: index) }

    private enum CodingKeys: String, CodingKey {
        case order = "job"
        case step
        case plan
        case index
        case attempt
        case epoch
        case isIsolated = "isolated"
        case rangeCount = "ranges"
        case results
        case given
        case place
    }
}
