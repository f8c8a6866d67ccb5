// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import Conversion

/// A partition of the job topics that a coordinator owns.
struct PartitionState {
    /// Whether its past is still being told.
    var isReplaying = true
    /// The offset behind the last result that was told.
    var position: Int64 = 0
}

extension CoordinatorState {
    /// Takes a job's record into account: of a partition that is being taken over, or as another coordinator wrote it.
    mutating func adopt(_ record: JobRecord, _ turn: inout Turn) {
        let id = record.order.id
        let partition = topics.partition(ofJob: id)
        if partitions[partition]?.isReplaying == true {
            replay(record, partition, &turn)
        } else if let job = jobs[id] {
            heed(record, of: job, &turn)
        }
    }

    /// The past of a partition is told: its jobs go on, in a new epoch.
    mutating func rebuilt(_ partition: Int, _ turn: inout Turn) {
        partitions[partition]?.isReplaying = false
        for id in jobs.filter({ $0.value.partition == partition }).keys.sorted() {
            update(id, &turn) { job, turn in
                guard job.isReplaying else { return }
                job.isReplaying = false
                job.isControlDue = true
                turn.actions.append(.record(job.record))
                if let plan = job.record.plan {
                    turn.actions.append(
                        .planned(job: id, dataBytes: plan.dataBytes, done: job.dataBytes)
                    )
                }
                job.finishIfComplete(&turn)
                job.endIfNothingIsLeft(&turn)
            }
        }
    }

    /// The partition is someone else's: so are its jobs.
    mutating func lose(_ partition: Int) {
        partitions[partition] = nil
        for id in jobs.filter({ $0.value.partition == partition }).keys { forget(id) }
    }

    private mutating func replay(_ record: JobRecord, _ partition: Int, _ turn: inout Turn) {
        let id = record.order.id
        forget(id)
        guard !record.state.isEnd else { return ended.insert(id) }
        var job = JobState(record: record, partition: partition)
        job.record.epoch += 1
        job.wasTaken = true
        job.isReplaying = true
        job.mustPlan = settings.plansAgain
        if !job.isRunning { job.beginDrain(turn) }
        if let plan = record.plan { job.adopt(plan, &turn) }
        weights += record.weight
        jobs[id] = job
    }

    /// Another coordinator wrote about a job that this one has: whoever has the later epoch goes on, and an end is an end.
    private mutating func heed(_ record: JobRecord, of job: JobState, _ turn: inout Turn) {
        let id = record.order.id
        if record.epoch > job.record.epoch || (record.state.isEnd && !job.record.state.isEnd) {
            if record.state.isEnd { ended.insert(id) }
            return forget(id)
        }
        guard job.isRunning, record.state == .failing || record.state == .cancelling else { return }
        update(id, &turn) { job, turn in job.stop(record.state, record.error, &turn) }
    }
}
