// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Conversion

/// A job as its coordinator keeps it. A value without I/O: what is to be done goes into the ``Turn``.
struct JobState {
    /// What `jobs` says of it, or will.
    var record: JobRecord
    /// The partition of its records.
    let partition: Int
    /// Whether its record is durable: nothing is issued before, so that whoever takes over knows the job.
    var isRecorded = false
    /// Whether a record with its present state is durable: nothing is cleaned up before, since who takes over would go on.
    var isStateRecorded = false
    /// The latest epoch that a durable record of it has. Workers are told of none that is later: they would heed nobody else from
    /// then on, and whoever has the job would not know why.
    var durableEpoch = 0
    /// The latest epoch for whose sake a record was written again.
    var claimedEpoch = 0
    /// Whether its past is being replayed.
    var isReplaying = false
    /// Whether it has to be planned again before it goes on.
    var mustPlan = false
    /// The steps that are out or wait to be tried again.
    var units: [WorkUnit.Key: WorkUnit] = [:]
    /// How many of `units` are out.
    var outCount = 0
    /// The offset of the job's first result that counts.
    var firstResult: Int64?
    /// The offset of the job's last result.
    var lastResult: Int64 = -1
    /// The ranges, once there is a plan.
    var ledger: RangeLedger?
    /// The folded ranges' results for the seal, where that is to be given them.
    var given: GivenResults?
    /// The places in the target, for allocated targets.
    var allocator: Allocator?
    /// The fold of digests, where the job wants one.
    var folder: (any DigestFolding)?
    /// What the folded ranges read.
    var dataBytes: UInt64 = 0
    /// How often a step was run again after a failure.
    var retries = 0
    /// Until when a job that ends early waits for its tasks.
    var drainDeadline = Milliseconds.max
    /// Runs that began under an earlier coordinator and have not ended: a job that ends early waits for them too.
    var foreignRuns = ForeignRuns()
    /// Whether a control record is due.
    var isControlDue = false
    /// Ranges that are done but whose place was asked for again.
    var lateAsks: Set<Int> = []
    /// Ranges that no worker may begin any more.
    var refused: Set<Int> = []
    /// One more clean-up after its end, where a plan step reported late.
    var reportedLate: LateCleaning?
    /// Runs of the plan step that began and have not ended, with the clean-up for each. Bounded by ``WorkUnit/runLimit``.
    var openPlans: [String: LateCleaning] = [:]
    /// What is to be cleaned up once more after its end.
    var lateCleaning: LateCleaning? {
        (Array(openPlans.values) + [reportedLate].compactMap { $0 })
            .max { ($0.due, $0.attempt) < ($1.due, $1.attempt) }
    }
    /// Whether the event of its end is on its way.
    var isEnding = false
    /// When its next timer is due.
    var timer = Milliseconds.max
    /// Whether the record of its end is durable.
    var isEndRecorded = false

    init(record: JobRecord, partition: Int) {
        self.record = record
        self.partition = partition
    }

    /// Takes into account another record of the job, read while its past is replayed.
    mutating func recall(_ other: JobRecord, _ turn: inout Turn) {
        record.epoch = max(record.epoch, other.epoch + 1)
        record.publishedRanges = max(record.publishedRanges ?? 0, other.publishedRanges ?? 0)
        if ledger == nil, let plan = other.plan { adopt(plan, &turn) }
        guard isRunning, other.state != .running else { return }
        record.state = other.state
        record.error = other.error
        beginDrain(turn)
    }

    /// Writes the job's record. Not while its past is replayed: it is written when all of that is known, and a record that came meanwhile
    /// would be taken for one of another coordinator, that has a later epoch.
    func writeRecord(_ turn: inout Turn) {
        if !isReplaying { turn.actions.append(.record(record)) }
    }

    /// The job's id.
    var id: String { record.order.id }

    /// Whether tasks other than `discard` are to run.
    var isRunning: Bool { record.state == .running && !isEnding }

    /// Whether nothing of it was issued yet.
    var isFresh: Bool { record.plan == nil && units.isEmpty }

    /// The offset from which the job's results are still needed, if any are.
    func floor(_ settings: CoordinatorSettings) -> Int64? {
        let isNeeded = settings.keepsResults || record.plan?.needsSeal ?? true
        return isNeeded ? firstResult : nil
    }

    /// What every worker must know of it.
    mutating func controlRecord() -> ControlRecord {
        isControlDue = false
        let asked = Set(units.filter { $0.key.step == .range && $0.value.isOut }.map(\.key.index))
        let indexes = asked.union(lateAsks).sorted()
        lateAsks = []
        let reservations = indexes.compactMap { index in
            allocator?.place(index).map { ControlRecord.Reservation(index: index, offset: $0) }
        }
        // Only a durable end is final: a coordinator that takes over before may still have something to clean up.
        let state: ControlRecord.State =
            isEndRecorded ? .finished : (isRunning ? .running : .cancelled)
        return ControlRecord(
            job: id,
            state: state,
            epoch: record.epoch,
            plan: record.plan?.planHash,
            reservations: isRunning ? reservations : [],
            refused: refused.sorted()
        )
    }
}
