// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Conversion

/// The coordinator's rules: a state machine without I/O or clock, so that it runs over any log and under a simulator.
///
/// It owns the jobs of some partitions. Its decisions follow from the records of `results` in their order, so that a
/// coordinator that reads them again comes to the same state; only the issuing of tasks follows the clock.
/// Its memory is bounded by the windows, and by 24 bytes a range for each unfinished job.
package struct CoordinatorState {
    /// How many ended jobs are remembered, so that a repeated request is known.
    static let rememberedEnds = 100_000

    var settings: CoordinatorSettings
    var jobs: [String: JobState] = [:]
    var partitions: [Int: PartitionState] = [:]
    var ended = RecentSet<String>(limit: Self.rememberedEnds)
    /// The records of the jobs that ended last, in case that someone overwrites one.
    var endRecords: [String: JobRecord] = [:]
    /// Jobs of whose records the last one that was replayed is not that of their end.
    var overwritten: Set<String> = []
    /// Jobs whose end was read from `jobs`.
    var confirmedEnds = RecentSet<String>(limit: 4096)
    var keptRecords = RecentSet<String>(limit: 4096)
    /// Jobs of which results came before the job was known: they must not be missed when it is.
    var ignored: [String: IgnoredJob] = [:]
    /// Jobs for which a partition was taken again, once each.
    var retaken = RecentSet<String>(limit: 4096)
    var timers = TimerQueue()
    /// Jobs that have ended, and of which something may be left nevertheless, with the attempt of the clean-up that is due.
    var late: [String: LateCleaning] = [:]
    var controlDue: Set<String> = []
    /// By ``JobPriority/rank``.
    var classes: [TaskClass]
    let topics: Topics

    /// Makes a coordinator that owns nothing yet.
    package init(settings: CoordinatorSettings, topics: Topics) {
        self.settings = settings
        self.topics = topics
        classes = JobPriority.allCases.map { TaskClass($0, partitions: topics.taskPartitions) }
    }

    /// Takes note of `event` at `now` and says what is to be done.
    package mutating func handle(
        _ event: CoordinatorEvent,
        now: Milliseconds
    ) -> [CoordinatorAction] {
        var turn = Turn(now: now, settings: settings)
        switch event {
        case .request(.submit(let submission)): submit(submission, &turn)
        case .request(.cancel(let id)):
            update(id, &turn) { job, turn in job.stop(.cancelling, nil, &turn) }
        case .refused(let id, let error): refuse(id, error, &turn)
        case .jobRecord(let record): adopt(record, &turn)
        case .result(let result, let offset): take(result, offset, &turn)
        case .taken(let partition, let offset):
            partitions[partition] = PartitionState(position: offset)
        case .rebuilt(let partition): rebuilt(partition, &turn)
        case .lost(let partition): lose(partition)
        case .recorded(let id, let state, let epoch):
            update(id, &turn) { job, turn in job.recorded(state, epoch: epoch, &turn) }
        case .published(let id, let mark): published(id, mark, &turn)
        case .tick: tick(&turn)
        }
        return turn.actions
    }

    /// When ``CoordinatorEvent/tick`` is needed at the latest, without other events.
    package var nextTick: Milliseconds? {
        [timers.first, late.values.lazy.map(\.due).min()].compactMap { $0 }.min()
    }

    /// How long records of ended jobs stay; nil keeps them.
    package var retention: CoordinatorSettings.Retention? { settings.retention }

    /// Whether a job is known that has not ended.
    package func has(_ job: String) -> Bool { jobs.index(forKey: job) != nil }

    /// How many jobs have not ended.
    package var jobCount: Int { jobs.count }

    /// By partition of `results`, the offset up to which its records are no longer needed. Partitions whose past is still
    /// being told are left out.
    package func floors() -> [Int: Int64] {
        var floors: [Int: Int64] = [:]
        for (number, partition) in partitions where !partition.isReplaying {
            floors[number] = partition.position
        }
        for job in ignored.values {
            if let floor = floors[job.partition] { floors[job.partition] = min(floor, job.offset) }
        }
        for place in jobs.values.indices {
            guard let needed = jobs.values[place].floor(settings) else { continue }
            let number = jobs.values[place].partition
            if let floor = floors[number] { floors[number] = min(floor, needed) }
        }
        for (id, cleaning) in late {
            let number = topics.partition(ofJob: id)
            if let floor = floors[number] { floors[number] = min(floor, cleaning.offset) }
        }
        return floors
    }

    /// Changes a job, then sees to its timers, its control record and its end.
    mutating func update(
        _ id: String,
        _ turn: inout Turn,
        _ change: (inout JobState, inout Turn) -> Void
    ) {
        guard let place = jobs.index(forKey: id) else { return }
        // In place: the job's ledger must not be copied.
        change(&jobs.values[place], &turn)
        settle(id, &turn)
    }

    /// Draws the consequences of a change of a job for what all jobs share.
    private mutating func settle(_ id: String, _ turn: inout Turn) {
        guard let place = jobs.index(forKey: id) else { return }
        classes[jobs.values[place].record.priority.rank].book(&turn)
        if jobs.values[place].isControlDue { controlDue.insert(id) }
        makeReady(id)
    }

    private mutating func submit(_ submission: Submission, _ turn: inout Turn) {
        let order = submission.order
        guard jobs[order.id] == nil, !ended.contains(order.id) else { return }
        let partition = topics.partition(ofJob: order.id)
        guard ignored[order.id] == nil || retaken.contains(order.id) else {
            // Someone worked on this job before its record could be read here. When the partition is taken again, its record
            // is known, or its results are replayed after this request.
            ignored[order.id] = nil
            retaken.insert(order.id)
            return turn.actions.append(.takeAgain(partition: partition))
        }
        if let fault = submission.fault {
            return refuse(JobRecord(Submission(order)), fault, &turn)
        }
        let record = JobRecord(submission)
        classes[record.priority.rank].weights += record.weight
        jobs[order.id] = JobState(record: record, partition: partition)
        turn.actions.append(.record(record))
        update(order.id, &turn) { job, turn in job.publish(.submitted, &turn) }
    }

    /// Ends a job that no one can do before it begins. What it asked for is not known: its order is empty.
    private mutating func refuse(_ id: String, _ error: DrayError, _ turn: inout Turn) {
        guard jobs[id] == nil, !ended.contains(id) else { return }
        let order = JobOrder(id: id, spec: JobSpec(kind: .convert, sources: []))
        let reason = DrayError(.invalid, "the request cannot be read: " + error.message)
        refuse(JobRecord(Submission(order)), reason, &turn)
    }

    private mutating func refuse(
        _ request: JobRecord,
        _ error: DrayError,
        _ turn: inout Turn
    ) {
        var record = request
        record.state = .failed
        record.error = error
        if settings.publishesEvents {
            turn.actions.append(.event(EventMessage(job: record.order.id, .failed(error)), nil))
        }
        turn.actions.append(.record(record))
        turn.actions.append(.ended(record))
        remember(record)
    }

    private mutating func take(_ result: ResultMessage, _ offset: Int64, _ turn: inout Turn) {
        let id = result.task.job
        let partition = topics.partition(ofJob: id)
        if let position = partitions[partition]?.position {
            partitions[partition]?.position = max(position, offset + 1)
        }
        guard jobs[id] != nil else {
            if result.isQuestion, partitions[partition]?.isReplaying == false {
                tellEnd(id, epoch: result.epoch, &turn)
            }
            if ended.contains(id) { noteLate(result, offset, turn) }
            return ignore(id, partition, offset, turn)
        }
        update(id, &turn) { job, turn in job.judge(result, offset: offset, &turn) }
    }

    private mutating func published(_ id: String, _ mark: EventMark, _ turn: inout Turn) {
        update(id, &turn) { job, turn in
            switch mark {
            case .end: job.endIsPublished(&turn)
            case .ranges(let count):
                job.record.publishedRanges = max(job.record.publishedRanges ?? 0, count)
                job.writeRecord(&turn)
            }
        }
    }
}
