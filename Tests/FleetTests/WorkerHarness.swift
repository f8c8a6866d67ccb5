// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import Conversion
import DiskImage
import Fleet
import TaskLog
import TestSupport

/// A worker whose actions are noted.
struct WorkerHarness {
    static let partition = PartitionID(Topics.tasks(.normal), 0)

    var state: WorkerState
    var now: Milliseconds = 0
    var began: [RunNumber] = []
    var steps: [Step] = []
    var published: [(message: ResultMessage, token: UInt64)] = []
    var commits: [LogPosition] = []
    var stopped: [RunNumber] = []
    var leaseEnds: [RunNumber: Milliseconds] = [:]
    var places: [RunNumber: UInt64] = [:]
    var isDrained = false

    init(slots: Int = 2) {
        var settings = WorkerSettings(name: "w", slots: slots)
        settings.commitInterval = 0
        state = WorkerState(settings: settings)
        tell(.assigned([LogPosition(Self.partition, offset: 0)]))
    }

    mutating func tell(_ event: WorkerEvent) {
        for action in state.handle(event, now: now) {
            switch action {
            case .begin(let number, let task, let end):
                began.append(number)
                steps.append(task.step)
                leaseEnds[number] = end
            case .renew(let number, let end): leaseEnds[number] = end
            case .publish(let message, let token): published.append((message, token))
            case .commit(let places): commits += places
            case .stop(let number): stopped.append(number)
            case .place(let number, let offset): places[number] = offset.bytes
            case .drained: isDrained = true
            case .deadLetter: break
            }
        }
    }

    /// A plan task of a job with a target.
    mutating func plan(_ job: String, offset: Int64) {
        var spec = JobSpec(kind: .convert, sources: [])
        spec.target = TargetSpec(path: "t", format: .raw)
        let name = TaskName(job: job, step: .plan)
        let order = JobOrder(id: job, spec: spec)
        let task = TaskMessage(order: order, name: name, attempt: 1, epoch: 1)
        tell(.task(task, Self.partition, offset: offset))
        tell(.tick)
    }

    mutating func task(_ index: Int, attempt: Int = 1, isIsolated: Bool = false, offset: Int64) {
        let order = JobOrder(id: "a", spec: JobSpec(kind: .checksum, sources: []))
        let task = TaskMessage(
            order: order,
            name: TaskName(job: "a", step: .range, plan: "p", index: index),
            attempt: attempt,
            epoch: 1,
            isIsolated: isIsolated
        )
        tell(.task(task, Self.partition, offset: offset))
        tell(.tick)
    }

    /// Loses the partition and gets it again, from its beginning.
    mutating func reassign() {
        tell(.revoked([Self.partition]))
        tell(.assigned([LogPosition(Self.partition, offset: 0)]))
    }

    /// The log takes everything that was published.
    mutating func deliver() {
        while !published.isEmpty {
            let token = published.removeFirst().token
            tell(.delivered(token: token, isDurable: true))
        }
        tell(.tick)
    }
}
