// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import Conversion
import Digest
import DiskImage
import Fleet
import TaskLog

/// What the steps of jobs do to the simulated targets.
extension Simulation {
    func plan(_ id: String) -> ResultMessage.Body {
        guard let job = jobs[id] else {
            return .failed(DrayError(.bug, "a plan of a job that there is not"))
        }
        if job.converts { jobs[id]?.target.plan() }
        jobs[id]?.hasBegun = true
        return .planned(job.plan)
    }

    func write(_ id: String, _ index: Int, at offset: UInt64) -> Bool {
        jobs[id]?.target.write(
            index,
            at: offset,
            SimulatedJob.length(index),
            isGated: mutation != .opensTheGate
        ) ?? false
    }

    func result(_ id: String, _ index: Int, place: UInt64?) -> RangeResult {
        guard var result = jobs[id]?.result(index, place: place) else {
            preconditionFailure("a range of a job that there is not")
        }
        if mutation == .computesWrongly, percent(20) {
            result.digest = RangeDigest(runs: [.digests([UInt8(index), 9, 9, 9])])
        }
        return result
    }

    func seal(_ task: TaskMessage) -> ResultMessage.Body {
        let id = task.order.id
        guard let span = task.results, let job = jobs[id] else {
            return .failed(DrayError(.bug, "the seal does not say where the results are"))
        }
        var places: [Int: UInt64] = [:]
        var done: Set<Int> = []
        let partition = PartitionID(Topics.results, span.partition)
        let limit = Int(span.to - span.from)
        for message in log.records(partition, from: span.from, limit: limit) {
            guard case .result(let result) = message, result.task.job == id,
                case .ranged(let range) = result.body, done.insert(result.task.index).inserted
            else { continue }
            places[result.task.index] = range.placement?.reservation?.bytes
        }
        guard done.count == job.count else {
            return .failed(DrayError(.bug, "the seal finds \(done.count) of \(job.count) ranges"))
        }
        if let given = task.given?.results {
            let inLog = (0..<job.count).map { places[$0] }
            guard given.map({ $0.placement?.reservation?.bytes }) == inLog else {
                violations.append("\(id)'s seal was given other results than the log has")
                return .failed(DrayError(.bug, "the seal was given wrong results"))
            }
        }
        guard jobs[id]?.target.seal() == true else {
            return .failed(DrayError(.refused, "the target is closed"))
        }
        jobs[id]?.sealedWhole =
            job.areInOrder(places) && job.target.isWhole(places) { SimulatedJob.length($0) }
        return .sealed(SealResult(targetLength: 1))
    }

    func discard(_ id: String) -> ResultMessage.Body {
        if mutation != .keepsLeftovers { jobs[id]?.target.remove() }
        return .discarded
    }
}
