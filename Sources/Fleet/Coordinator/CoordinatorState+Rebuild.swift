// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import Conversion

/// A partition of the job topics that a coordinator owns.
struct PartitionState {
    /// Whether its past is still being told.
    var isReplaying = true
    /// The offset behind the last result that was told.
    var position: Int64
}

/// A job that is not known, of which a result came.
struct IgnoredJob {
    /// How long such results are kept in reach.
    static let patience: Milliseconds = 300_000
    /// How many such jobs are kept.
    static let limit = 4096

    let partition: Int
    let offset: Int64
    let time: Milliseconds
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
        } else if let end = endRecords[id] {
            confirm(record, end, &turn)
        } else if record.state.isEnd, !ended.contains(id) {
            // Someone ended it before its request was read here.
            confirmedEnds.insert(id)
            remember(record)
        }
    }

    /// The past of a partition is told: its jobs go on, in a new epoch.
    mutating func rebuilt(_ partition: Int, _ turn: inout Turn) {
        partitions[partition]?.isReplaying = false
        for id in overwritten.sorted() where topics.partition(ofJob: id) == partition {
            if let end = endRecords[id] { turn.actions.append(.record(end)) }
            overwritten.remove(id)
        }
        for id in jobs.filter({ $0.value.partition == partition }).keys.sorted() {
            update(id, &turn) { job, turn in
                guard job.isReplaying else { return }
                job.isReplaying = false
                job.isControlDue = true
                job.writeRecord(&turn)
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

    /// A record of a job that has ended came. The first end in the partition counts; since only the last record survives compaction, it
    /// is written again where someone who did not know it wrote another.
    private mutating func confirm(
        _ record: JobRecord,
        _ end: JobRecord,
        _ turn: inout Turn
    ) {
        let id = record.order.id
        if record.state.isEnd, !confirmedEnds.contains(id) {
            confirmedEnds.insert(id)
            endRecords[id] = record
        } else if record.state != end.state {
            turn.actions.append(.record(end))
        }
    }

    /// Notes a result of a job that is not known. Its request may be on the way.
    mutating func ignore(_ id: String, _ partition: Int, _ offset: Int64, _ turn: Turn) {
        guard !ended.contains(id), ignored[id] == nil else { return }
        if ignored.count >= IgnoredJob.limit {
            ignored = ignored.filter { $0.value.time + IgnoredJob.patience > turn.now }
        }
        guard ignored.count < IgnoredJob.limit else { return }
        ignored[id] = IgnoredJob(partition: partition, offset: offset, time: turn.now)
    }

    /// Tells workers that still work on a job that it has ended.
    mutating func tellEnd(_ id: String, epoch: Int, _ turn: inout Turn) {
        guard ended.contains(id) else { return }
        let epoch = max(epoch, endRecords[id]?.epoch ?? 0)
        turn.actions.append(.control(ControlRecord(job: id, state: .finished, epoch: epoch)))
    }

    /// Keeps what a job's end was.
    mutating func remember(_ record: JobRecord) {
        ended.insert(record.order.id)
        endRecords[record.order.id] = record
        if let old = keptRecords.push(record.order.id) { endRecords[old] = nil }
    }

    /// Drops a job that someone else has ended. Who did may not have seen that a plan step reported late.
    private mutating func giveUp(_ id: String, endedAs record: JobRecord) {
        let cleaning = jobs[id]?.lateCleaning
        forget(id)
        remember(record)
        if let cleaning { late[id] = cleaning }
    }

    /// The partition is someone else's: so are its jobs.
    mutating func lose(_ partition: Int) {
        partitions[partition] = nil
        for id in jobs.filter({ $0.value.partition == partition }).keys { forget(id) }
        late = late.filter { topics.partition(ofJob: $0.key) != partition }
    }

    private mutating func replay(_ record: JobRecord, _ partition: Int, _ turn: inout Turn) {
        let id = record.order.id
        if let end = endRecords[id] {
            // Records from before the end are told too; what counts is the last one.
            if record.state == end.state { overwritten.remove(id) } else { overwritten.insert(id) }
            return
        }
        guard !ended.contains(id) else { return }
        guard !record.state.isEnd else {
            confirmedEnds.insert(id)
            return giveUp(id, endedAs: record)
        }
        if let place = jobs.index(forKey: id) {
            // What was replayed already stays: someone may write while the past is being told.
            return jobs.values[place].recall(record, &turn)
        }
        var job = JobState(record: record, partition: partition)
        job.record.epoch += 1
        job.isReplaying = true
        job.mustPlan = settings.plansAgain && record.plan != nil
        if !job.isRunning { job.beginDrain(turn) }
        if let plan = record.plan { job.adopt(plan, &turn) }
        classes[record.priority.rank].weights += record.weight
        jobs[id] = job
    }

    /// Another coordinator wrote about a job that this one has. An end is an end. But a later epoch does not say that the job is
    /// someone else's: only the partition does, and whoever has that claims the job again. Dropping it could leave it to no one.
    private mutating func heed(_ record: JobRecord, of job: JobState, _ turn: inout Turn) {
        let id = record.order.id
        if record.state.isEnd {
            confirmedEnds.insert(id)
            if job.record.state == record.state, job.record.epoch == record.epoch {
                // Its own record, read before the log has confirmed it.
                return update(id, &turn) { job, turn in
                    job.recorded(record.state, epoch: record.epoch, &turn)
                }
            }
            giveUp(id, endedAs: record)
            turn.actions.append(.ended(record))
            return tellEnd(id, epoch: record.epoch, &turn)
        }
        if record.epoch > job.record.epoch {
            update(id, &turn) { job, turn in
                job.record.epoch = record.epoch + 1
                job.isControlDue = true
                job.writeRecord(&turn)
            }
        }
        if job.isRunning, record.state == .failing || record.state == .cancelling {
            update(id, &turn) { job, turn in job.stop(record.state, record.error, &turn) }
        } else if record.epoch < job.record.epoch, !record.state.isEnd {
            // Only the last record of a job survives compaction: it has to be the right one.
            job.writeRecord(&turn)
        }
    }
}
