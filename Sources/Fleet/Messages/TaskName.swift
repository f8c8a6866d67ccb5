// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// The kinds of steps that a job is made of.
package enum Step: String, Sendable, Hashable, Codable {
    /// Make the plan and the empty target.
    case plan
    /// Run one range of the plan.
    case range
    /// Write the tables and give the target its name.
    case seal
    /// Remove what a job that ends without success left behind.
    case discard
}

/// Which piece of work: two tasks with one name do the same. Attempts and epochs tell them apart.
package struct TaskName: Sendable, Hashable, Codable {
    /// The job's id.
    package let job: String
    /// The kind of step.
    package let step: Step
    /// The hash of the plan, for ranges and sealing.
    package let plan: String?
    /// The range's number; 0 for other steps.
    package let index: Int

    /// Names a piece of work.
    package init(job: String, step: Step, plan: String? = nil, index: Int = 0) {
        self.job = job
        self.step = step
        self.plan = plan
        self.index = index
    }
}
