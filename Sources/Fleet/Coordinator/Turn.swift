// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// One call of a coordinator's state machine: the time, the rules, and what is to be done.
struct Turn {
    let now: Milliseconds
    let settings: CoordinatorSettings
    var actions: [CoordinatorAction] = []
    /// Tasks that went out less tasks that came back, by partition of the tasks of the job's class.
    var outChanges: [Int: Int] = [:]
    /// Tasks that began less such that came back.
    var runningChange = 0
}
