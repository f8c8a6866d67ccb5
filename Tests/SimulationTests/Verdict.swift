// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import Conversion
import Fleet
import TaskLog

/// Looks at what a simulation left behind, and names what must not be.
struct Verdict {
    private let world: Simulation

    init(_ world: Simulation) { self.world = world }

    func check() -> [JobRecord.State: Int] {
        var states: [JobRecord.State: Int] = [:]
        for job in world.jobs.values.sorted(by: { $0.order.id < $1.order.id }) {
            checkEvents(job)
            let ends = records(job).filter(\.state.isEnd)
            guard let end = ends.first else {
                blame(job, "never ended: \(records(job).last?.state.rawValue ?? "unknown")")
                continue
            }
            states[end.state, default: 0] += 1
            // A coordinator that did not know that it was replaced may write another end: the first one is put back.
            if records(job).last?.state != end.state { blame(job, "ended in two ways") }
            guard ends.allSatisfy({ $0.state == end.state }) else { continue }
            checkEnd(job, end)
            if job.target.lateWrites > 0 { blame(job, "was written to after its end") }
        }
        return states
    }

    private func checkEnd(_ job: SimulatedJob, _ end: JobRecord) {
        switch end.state {
        case .finished: checkFinished(job, end)
        case .cancelled: if !job.isCancelled { blame(job, "was cancelled by no one") }
        default:
            let isExpected =
                end.error?.kind == .resource
                || (end.error?.kind == .corrupt && job.permanent != nil)
            if !isExpected { blame(job, "failed: \(end.error?.description ?? "nil")") }
        }
        if job.target.hasLeftover { blame(job, "was planned after its end, and left that behind") }
        guard end.state != .finished, job.converts, job.hasBegun else { return }
        if !job.target.isSealed, !job.target.isRemoved { blame(job, "left its target behind") }
    }

    private func checkFinished(_ job: SimulatedJob, _ end: JobRecord) {
        if job.poison != nil || job.permanent != nil { blame(job, "cannot have finished") }
        if end.outcome?.digest != job.digest { blame(job, "has a wrong digest") }
        if end.outcome?.dataBytes != UInt64(job.count * 10) {
            blame(job, "counted \(end.outcome?.dataBytes ?? 0) bytes")
        }
        guard job.converts else { return }
        if !job.target.isSealed { blame(job, "is not sealed") }
        if !job.sealedWhole { blame(job, "has a wrong image") }
    }

    /// Range events come in order, each once but for repetitions, and all of them before a good end.
    private func checkEvents(_ job: SimulatedJob) {
        var seen: [String: EventMessage.Body] = [:]
        var next = 0
        for message in world.log.partitions[world.place(Topics.events, job.order.id)] ?? [] {
            guard case .event(let event) = message, event.job == job.order.id else { continue }
            if let known = seen[event.id] {
                if case .range = known, known != event.body { blame(job, "\(event.id) changed") }
                continue
            }
            seen[event.id] = event.body
            if case .range(let index, _) = event.body {
                if index != next { blame(job, "event \(index) came before \(next)") }
                next = index + 1
            }
            if case .finished = event.body, next != job.count {
                blame(job, "finished after \(next) of \(job.count) events")
            }
        }
    }

    private func records(_ job: SimulatedJob) -> [JobRecord] {
        (world.log.partitions[world.place(Topics.jobs, job.order.id)] ?? []).compactMap {
            if case .job(let record) = $0, record.order.id == job.order.id { record } else { nil }
        }
    }

    private func blame(_ job: SimulatedJob, _ what: String) {
        world.violations.append("\(job.order.id) \(what)")
    }
}
