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
