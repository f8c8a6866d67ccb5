// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
package import Conversion

/// What a worker says about one run of a task: a record of `results`.
package struct ResultMessage: Sendable, Hashable {
    /// What is said.
    package enum Body: Sendable, Hashable {
        /// The run is about to begin.
        case started
        /// The range needs a place in the target.
        case sized(SpaceRequest)
        /// The run is alive and has done so many bytes of data.
        case progress(UInt64)
        /// The plan is made.
        case planned(PlanResult)
        /// The range is done.
        case ranged(RangeResult)
        /// The target is finished.
        case sealed(SealResult)
        /// The leftovers are gone.
        case discarded
        /// The run failed.
        case failed(DrayError)
        /// The run was stopped, or never began, because the worker was told to or leaves.
        case cancelled
    }

    /// Which piece of work.
    package let task: TaskName
    /// The attempt that the task named.
    package let attempt: Int
    /// The epoch that the task named.
    package let epoch: Int
    /// Names the run: no other run of any worker has it.
    package let run: String
    /// What is said.
    package let body: Body

    /// Makes a report.
    package init(task: TaskName, attempt: Int, epoch: Int, run: String, body: Body) {
        self.task = task
        self.attempt = attempt
        self.epoch = epoch
        self.run = run
        self.body = body
    }

    /// Whether the worker goes on, and may wait for an answer.
    var isQuestion: Bool {
        switch body {
        case .started, .sized: true
        default: false
        }
    }

    /// Whether the run is over.
    package var isOutcome: Bool {
        switch body {
        case .started, .sized, .progress: false
        case .planned, .ranged, .sealed, .discarded, .failed, .cancelled: true
        }
    }
}
