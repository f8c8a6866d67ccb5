// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import TaskLog

/// One class of jobs as its coordinator keeps it: what it has out, and whose turn it is.
struct TaskClass {
    /// The class's topic.
    let topic: String
    /// Jobs that may have something to issue.
    var ready = ReadyQueue()
    /// How many tasks are out.
    private(set) var outCount = 0
    /// How many of them are known to have begun.
    private(set) var runningCount = 0
    /// The sum of the weights of its jobs.
    var weights = 0
    private var outByPartition: [Int]
    private var cursor = 0

    init(_ priority: JobPriority, partitions: Int) {
        topic = Topics.tasks(priority)
        outByPartition = Array(repeating: 0, count: partitions)
    }

    /// Books what a job's tasks have changed.
    mutating func book(_ turn: inout Turn) {
        for (partition, change) in turn.outChanges {
            outByPartition[partition] += change
            outCount += change
        }
        turn.outChanges.removeAll(keepingCapacity: true)
        runningCount += turn.runningChange
        turn.runningChange = 0
    }

    /// Takes a unit off the books that is dropped with its job.
    mutating func drop(_ unit: WorkUnit) {
        guard unit.isOut else { return }
        outByPartition[unit.partition] -= 1
        outCount -= 1
        if unit.hasBegun { runningCount -= 1 }
    }

    /// The partition with the fewest tasks, but if there is another not `avoided`, where a task got stuck. Equals take turns:
    /// other coordinators fill the same partitions.
    mutating func leastLoaded(avoiding avoided: Int?) -> Int {
        var best: Int?
        for step in 1...outByPartition.count {
            let place = (cursor + step) % outByPartition.count
            if place == avoided, outByPartition.count > 1 { continue }
            if let known = best, outByPartition[known] <= outByPartition[place] { continue }
            best = place
        }
        cursor = best ?? 0
        return cursor
    }

    /// How many tasks the class may have out: in proportion to what runs, so that what is new does not wait long behind them.
    func window(_ settings: CoordinatorSettings) -> Int {
        min(settings.window, Self.jobsAtOnce * jobWindow(settings))
    }

    /// How many tasks a job may have out that is alone.
    private func jobWindow(_ settings: CoordinatorSettings) -> Int {
        min(settings.window, max(settings.firstWindow, 3 * runningCount))
    }

    /// How many tasks a job of this weight may have out.
    func share(weight: Int, _ settings: CoordinatorSettings) -> Int {
        max(settings.smallestWindow, jobWindow(settings) * weight / max(weights, weight))
    }

    private static let jobsAtOnce = 8
}
