// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
package import Conversion

/// What others may consume: a record of `events`. A coordinator that takes over may publish an event again, with the same id.
package struct EventMessage: Sendable, Hashable {
    /// What happened.
    package enum Body: Sendable, Hashable {
        /// The job was accepted.
        case submitted
        /// The plan is made.
        case planned(PlanResult)
        /// The range with this number is done, as are all before it.
        case range(Int, RangeResult)
        /// A step failed and will be tried again after so many milliseconds.
        case retrying(TaskName, failures: Int, after: Int64, DrayError)
        /// The job has ended well.
        case finished(JobOutcome)
        /// The job has ended with an error.
        case failed(DrayError)
        /// The job has ended because someone cancelled it.
        case cancelled
    }

    /// The job's id.
    package let job: String
    /// What happened.
    package let body: Body

    /// Makes an event.
    package init(job: String, _ body: Body) {
        self.job = job
        self.body = body
    }

    /// What tells a repetition from news.
    package var id: String {
        switch body {
        case .submitted: job + "/submitted"
        case .planned: job + "/planned"
        case .range(let index, _): job + "/range/\(index)"
        case .retrying(let task, let failures, _, _):
            job + "/retrying/\(task.step.rawValue)/\(task.index)/\(failures)"
        case .finished, .failed, .cancelled: job + "/end"
        }
    }
}
