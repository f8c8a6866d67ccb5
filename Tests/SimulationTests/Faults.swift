// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import Fleet
import TestSupport

/// What goes wrong in a simulation, and how often: each seed picks a subset of the kinds, with rates of its own.
struct Faults: CustomStringConvertible {
    /// Milliseconds until a record that is sent is in the log, at most.
    var delay = 5
    /// Of a worker's records, per cent that the log refuses.
    var refused = 0
    /// Of a worker's records, per cent that are in the log though it says otherwise.
    var lostAcks = 0
    /// Per cent of records that are in the log twice.
    var duplicates = 0
    /// Per cent of tasks that get lost though the log took them.
    var lostTasks = 0
    /// Mean milliseconds between kills of a worker; 0 never.
    var workerKills = 0
    /// Mean milliseconds between freezes of a worker.
    var workerFreezes = 0
    /// Mean milliseconds between kills of a coordinator.
    var coordinatorKills = 0
    /// Mean milliseconds between freezes of a coordinator.
    var coordinatorFreezes = 0
    /// Mean milliseconds between rebalances without a reason.
    var rebalances = 0
    /// Per cent of steps that fail with an error that may pass.
    var failures = 0
    /// Per cent of steps that take longer than a lease.
    var slowSteps = 0
    /// Per cent of jobs that are cancelled at some time.
    var cancels = 0
    /// Per cent of jobs with a range that kills its worker.
    var poison = 0
    /// Per cent of jobs with a range that fails for good.
    var permanent = 0

    init(_ random: inout SeededGenerator) {
        func some(_ range: ClosedRange<Int>) -> Int {
            Bool.random(using: &random) ? Int.random(in: range, using: &random) : 0
        }
        delay = max(1, some(5...120))
        refused = some(1...20)
        lostAcks = some(1...20)
        duplicates = some(1...30)
        lostTasks = some(1...15)
        workerKills = some(300...3000)
        workerFreezes = some(300...3000)
        coordinatorKills = some(500...4000)
        coordinatorFreezes = some(500...4000)
        rebalances = some(300...3000)
        failures = some(1...20)
        slowSteps = some(1...10)
        cancels = some(5...50)
        poison = some(5...25)
        permanent = some(5...25)
    }

    init() {}

    var description: String {
        "delay \(delay), refused \(refused), lostAcks \(lostAcks), duplicates \(duplicates), lostTasks"
            + " \(lostTasks), workerKills \(workerKills), workerFreezes \(workerFreezes), coordinatorKills"
            + " \(coordinatorKills), coordinatorFreezes \(coordinatorFreezes), rebalances \(rebalances),"
            + " failures \(failures), slowSteps \(slowSteps), cancels \(cancels), poison \(poison),"
            + " permanent \(permanent)"
    }
}

/// A rule that is broken on purpose, to see that the simulation notices.
enum Mutation: String, CaseIterable {
    /// Workers count a task as done before its outcome is in the log, which may never get it.
    case acknowledgesFirst
    /// Coordinators commit the results that they have read, not those that they no longer need.
    case commitsTooFar
    /// The target takes writes after it was sealed or removed.
    case opensTheGate
    /// Two runs of a range report different things.
    case computesWrongly
    /// Events overtake each other.
    case shufflesEvents
    /// A stopped job's leftovers stay.
    case keepsLeftovers
}
