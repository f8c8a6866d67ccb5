// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Conversion
internal import TaskLog

/// The job that a journal is about.
struct JournaledJob {
    /// What to do with a journal.
    enum Use {
        /// It is empty.
        case new
        /// Its job was cut off.
        case resume(JobOrder)
        /// Its job ended without success: begin afresh.
        case again
        /// Its job has ended well.
        case done(JobRecord)
    }

    /// The job's last record, if there is one.
    let record: JobRecord?
    private let path: String

    init(_ store: JournalStore, _ topics: Topics, path: String) throws(DrayError) {
        self.path = path
        let jobs = PartitionID(Topics.jobs, 0)
        let end = try store.end(of: jobs)
        var last: JobRecord?
        for record in try store.records(of: jobs, from: 0, to: end, limit: 64) {
            guard case .job(let job) = try MessageCodec.message(record) else { continue }
            last = job
        }
        record = last
    }

    /// Fails with `changed` where the target of the job that was cut off is not what its results say.
    func checkTarget(
        _ store: JournalStore,
        _ runner: any JobRunner,
        _ cancel: CancelToken
    ) throws(DrayError) {
        guard let record, let plan = record.plan else { return }
        let partition = PartitionID(Topics.results, 0)
        let end = try store.end(of: partition)
        var results: [RangeResult] = []
        var position: Int64 = 0
        while position < end {
            let records = try store.records(of: partition, from: position, to: end, limit: 256)
            guard let last = records.last else { break }
            position = last.offset + 1
            for record in records where MessageCodec.type(of: record) == .ranged {
                guard case .result(let message) = try MessageCodec.message(record),
                    case .ranged(let result) = message.body,
                    message.task.plan == plan.planHash
                else { continue }
                results.append(result)
            }
        }
        try runner.check(record.order, plan: plan, results: results, control(cancel))
    }

    /// Fails with `changed` where source or target of the job that is done are others since.
    func confirm(
        _ record: JobRecord,
        _ runner: any JobRunner,
        _ cancel: CancelToken
    ) throws(DrayError) {
        guard let plan = record.plan else { return }
        try runner.confirm(record.order, plan: plan, end: record.endedAt, control(cancel))
    }

    private func control(_ cancel: CancelToken) -> SlotControl {
        SlotControl(outside: cancel, meter: ProgressMeter()) { _ in }
    }

    /// What to do with the journal for `order`. Fails with `invalid` where it is another job's.
    func resolve(_ order: JobOrder) throws(DrayError) -> Use {
        guard let record else { return .new }
        guard record.order.spec == order.spec else {
            throw DrayError(
                .invalid,
                "the journal is of another command; use a file for each, or remove this one",
                file: path
            )
        }
        switch record.state {
        case .running, .failing, .cancelling: return .resume(record.order)
        case .failed, .cancelled: return .again
        case .finished: return .done(record)
        }
    }
}
