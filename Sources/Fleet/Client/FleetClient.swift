// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
internal import Conversion
package import TaskLog

/// What a person or a program does with a fleet: submit, look, cancel. Keeps nothing but a view of the log.
///
/// Calls wait on the calling thread; one thread uses a client.
package final class FleetClient {
    /// A record of the log with the JSON that it holds.
    package struct Found<Content: Sendable>: Sendable {
        /// What the record holds.
        package let content: Content
        /// The record.
        package let record: LogRecord
    }

    /// The fleet's topics.
    package let topics: Topics
    let log: any TaskLog
    /// How many records are on their way at most.
    private static let window = 5000

    /// A client of the fleet behind `log`. Fails with `invalid` where its topics are missing or wrong.
    package init(log: any TaskLog) throws(DrayError) {
        self.log = log
        topics = try Topics(of: log)
    }

    /// Sends requests, and returns when all of them are durable; `onDurable` is told each one's number, in any order.
    package func send(
        _ requests: [RequestMessage],
        onDurable: (Int) throws(DrayError) -> Void = { _ in }
    ) throws(DrayError) {
        let port = try log.open(LogSubscription(group: "client"))
        defer { port.close() }
        let codec = MessageCodec(source: "dray/client")
        var sent = 0
        var done = 0
        while done < requests.count {
            while sent < requests.count, sent - done < Self.window {
                let target = PartitionID(
                    Topics.requests,
                    topics.partition(ofJob: requests[sent].job)
                )
                let wall = LogClock.wallMilliseconds()
                let record = codec.record(
                    .request(requests[sent]),
                    to: target,
                    wallMilliseconds: wall
                )
                port.produce(record, token: UInt64(sent))
                sent += 1
            }
            for event in try port.poll(timeoutMilliseconds: 200, credits: 0) {
                guard case .delivered(let token, let failure) = event else { continue }
                if let failure { throw failure }
                try onDurable(Int(token))
                done += 1
            }
        }
    }

    /// Every job that the log knows, the last record of each.
    package func jobs() throws(DrayError) -> [Found<JobRecord>] {
        var found: [String: Found<JobRecord>] = [:]
        for number in 0..<topics.jobPartitions {
            try readJobs(number) { found[$0] = $1 }
        }
        return Array(found.values)
    }

    /// The last record of a job, nil where the log knows none.
    package func job(_ id: String) throws(DrayError) -> Found<JobRecord>? {
        var found: Found<JobRecord>?
        let key = Array(id.utf8)
        try readJobs(topics.partition(ofJob: id), key: key) { found = $1 }
        return found
    }

    /// When a job was submitted that no coordinator has recorded yet, in milliseconds since 1970; nil where nothing was asked for
    /// under this id within the last hour.
    package func pendingSubmission(_ id: String) throws(DrayError) -> Int64? {
        let partition = PartitionID(Topics.requests, topics.partition(ofJob: id))
        let since = LogClock.wallMilliseconds() - 3_600_000
        let start = try log.offset(of: partition, atOrAfter: since)
        let key = Array(id.utf8)
        var found: Int64?
        try log.read(partition, from: start, to: try log.end(of: partition)) { record in
            if record.key == key, MessageCodec.type(of: record) == .submit {
                found = found ?? record.timestamp
            }
        }
        return found
    }

    /// The dead letters, oldest first.
    package func deadLetters() throws(DrayError) -> [Found<DeadLetter>] {
        var found: [Found<DeadLetter>] = []
        let partition = PartitionID(Topics.deadLetters, 0)
        try log.read(partition, from: 0, to: try log.end(of: partition)) { record in
            // What is unreadable among the dead has nobody left to be told.
            guard case .message(.deadLetter(let letter)) = MessageCodec.read(record) else { return }
            found.append(Found(content: letter, record: record))
        }
        return found
    }

    /// Reads the records of jobs in one partition, those of `key` alone where one is given, and tells `body` each with its job's id;
    /// nil where the job's record was removed.
    func readJobs(
        _ number: Int,
        key: [UInt8]? = nil,
        _ body: (String, Found<JobRecord>?) -> Void
    ) throws(DrayError) {
        let partition = PartitionID(Topics.jobs, number)
        try log.read(partition, from: 0, to: try log.end(of: partition)) { record in
            guard key == nil || record.key == key else { return }
            switch MessageCodec.read(record) {
            case .message(.job(let job)):
                body(job.order.id, Found(content: job, record: record))
            case .removed:
                if let id = record.key { body(String(decoding: id, as: UTF8.self), nil) }
            // A job's record that cannot be read is its coordinator's to complain about.
            default: break
            }
        }
    }
}
