// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
internal import Conversion
package import TaskLog

/// Follows jobs from a place in the log on. The calling thread waits; one thread uses a follower.
package final class JobFollower {
    /// What became known of a job.
    package enum Notice: Sendable {
        /// An event, told once however often the log holds it.
        case event(EventMessage, LogRecord)
        /// The job has ended.
        case ended(JobRecord)
    }

    private let log: any TaskLog
    private let port: any LogPort
    private var jobs: Set<[UInt8]>
    /// How far the events of each partition have been read.
    private var eventPlaces: [PartitionID: Int64] = [:]
    private var known = RecentSet<String>(limit: 100_000)

    /// Follows `jobs` from `places` on, partitions of `jobs` and `events`.
    init(_ jobs: [String], log: any TaskLog, places: [LogPosition]) throws(DrayError) {
        self.log = log
        self.jobs = Set(jobs.map { Array($0.utf8) })
        for place in places where place.partition.topic == Topics.events {
            eventPlaces[place.partition] = place.offset
        }
        port = try log.open(LogSubscription(group: "client", followed: places))
    }

    deinit { port.close() }

    /// How many of the jobs have not ended.
    package var openCount: Int { jobs.count }

    /// Waits for news of the jobs, at most so long.
    package func next(timeoutMilliseconds: Int) throws(DrayError) -> [Notice] {
        var notices: [Notice] = []
        for event in try port.poll(timeoutMilliseconds: timeoutMilliseconds, credits: 0) {
            if case .record(let record) = event { try take(record, &notices) }
        }
        return notices
    }

    private func take(_ record: LogRecord, _ notices: inout [Notice]) throws(DrayError) {
        if eventPlaces[record.source] != nil { eventPlaces[record.source] = record.offset + 1 }
        guard let key = record.key, jobs.contains(key) else { return }
        switch MessageCodec.read(record) {
        case .message(.event(let event)):
            guard !known.contains(event.id) else { return }
            known.insert(event.id)
            notices.append(.event(event, record))
        case .message(.job(let job)) where job.state.isEnd:
            try catchUp(record.partition, &notices)
            jobs.remove(key)
            notices.append(.ended(job))
        default: break
        }
    }

    /// Tells what is in `events` by now: a job's last event is there before its record, but the two topics are read side by side.
    private func catchUp(_ number: Int, _ notices: inout [Notice]) throws(DrayError) {
        let events = PartitionID(Topics.events, number)
        guard let place = eventPlaces[events] else { return }
        try log.read(events, from: place, to: try log.end(of: events)) { record throws(DrayError) in
            try take(record, &notices)
        }
    }
}

extension FleetClient {
    /// Follows jobs that are about to be submitted: from the present end of the log. With `events`, their events too. Those whose id
    /// is in `named` may have been submitted before: one that has ended already tells its end again.
    package func follower(
        ofNew jobs: [String],
        named: Set<String> = [],
        events: Bool
    ) throws(DrayError) -> JobFollower {
        var places: [LogPosition] = []
        for number in Set(jobs.map { topics.partition(ofJob: $0) }).sorted() {
            places.append(
                LogPosition(
                    PartitionID(Topics.jobs, number),
                    offset: try firstRecord(of: named, in: number)
                )
            )
            guard events else { continue }
            let partition = PartitionID(Topics.events, number)
            places.append(LogPosition(partition, offset: try log.end(of: partition)))
        }
        return try JobFollower(jobs, log: log, places: places)
    }

    /// The offset of the first of the last records that these jobs have in a partition of `jobs`; its end where they have none.
    private func firstRecord(of ids: Set<String>, in number: Int) throws(DrayError) -> Int64 {
        let end = try log.end(of: PartitionID(Topics.jobs, number))
        guard ids.contains(where: { topics.partition(ofJob: $0) == number }) else { return end }
        var last: [String: Int64] = [:]
        try readJobs(number) { id, found in
            if ids.contains(id) { last[id] = found?.record.offset }
        }
        return min(end, last.values.min() ?? end)
    }

    /// Follows a job from its first event on. Nil where the log knows no such job.
    package func follower(of id: String) throws(DrayError) -> JobFollower? {
        let number = topics.partition(ofJob: id)
        let events = PartitionID(Topics.events, number)
        let jobs = PartitionID(Topics.jobs, number)
        let end = try log.end(of: jobs)
        let record = try job(id)
        let time: Int64
        if let record {
            time = record.content.submittedAt ?? 0
        } else if let sent = try pendingSubmission(id) {
            time = sent
        } else {
            return nil
        }
        // The client's clock may be ahead of the brokers'.
        let start = try log.offset(of: events, atOrAfter: max(0, time - 60_000))
        let places = [
            LogPosition(events, offset: start),
            // From the record that was found on: if it is the last one, it tells the end again.
            LogPosition(jobs, offset: record?.record.offset ?? end),
        ]
        return try JobFollower([id], log: log, places: places)
    }
}
