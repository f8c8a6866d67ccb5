// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import TaskLog

extension CoordinatorLoop {
    /// How many offsets are read between two polls: results may be large.
    private static let jobsSlice: Int64 = 10_000
    private static let resultsSlice: Int64 = 2000

    /// Begins to take a partition over from where the group left it.
    mutating func takeOver(_ place: LogPosition) {
        let number = place.partition.partition
        owned[number] = OwnedPartition(floor: place.offset)
        committed[place.partition] = place.offset
        perform(state.handle(.taken(partition: number, from: place.offset), now: now))
    }

    /// Forgets a partition's state and tells its past again. Other partitions go on meanwhile.
    mutating func takeAgain(_ number: Int) {
        guard let known = owned[number] else { return }
        let results = PartitionID(Topics.results, number)
        perform(state.handle(.lost(partition: number), now: now))
        takeOver(LogPosition(results, offset: committed[results] ?? known.floor))
        owned[number]?.postponed = known.postponed
        owned[number]?.requests = known.requests
        batch = nil
        observer(.takingAgain(partition: number))
    }

    /// The partition is someone else's.
    mutating func lose(_ number: Int) {
        owned[number] = nil
        for topic in [Topics.requests, Topics.jobs, Topics.results] {
            committed[PartitionID(topic, number)] = nil
        }
        endSweep(number)
        // It may name this partition's places.
        batch = nil
        perform(state.handle(.lost(partition: number), now: now))
    }

    /// When the past of some partition is to be read on.
    var nextSlice: Milliseconds? {
        owned.values.filter { !$0.isTaken }.map(\.readAt).min()
    }

    /// Reads on in the past of one partition. A log that cannot be read for a while is tried again later.
    mutating func readSlice() {
        let due = owned.filter { !$0.value.isTaken && $0.value.readAt <= now }
        guard let number = due.min(by: { $0.value.readAt < $1.value.readAt })?.key else { return }
        do throws(DrayError) {
            try readSlice(of: number)
            owned[number]?.failures = 0
        } catch {
            let failures = min((owned[number]?.failures ?? 0) + 1, 6)
            let time = now + 500 << Milliseconds(failures)
            owned[number]?.failures = failures
            owned[number]?.readAt = time
            observer(.unreadable(partition: number, error))
        }
    }

    private mutating func readSlice(of number: Int) throws(DrayError) {
        let jobs = PartitionID(Topics.jobs, number)
        let results = PartitionID(Topics.results, number)
        if owned[number]?.jobs.end == nil { owned[number]?.jobs.end = try log.end(of: jobs) }
        if owned[number]?.jobs.isWhole == false {
            return try readSlice(of: jobs, \.jobs, Self.jobsSlice)
        }
        if owned[number]?.results.end == nil {
            owned[number]?.results.end = try log.end(of: results)
        }
        if owned[number]?.results.isWhole == false {
            return try readSlice(of: results, \.results, Self.resultsSlice)
        }
        endTakeOver(number)
    }

    private mutating func readSlice(
        of partition: PartitionID,
        _ reading: WritableKeyPath<OwnedPartition, OwnedPartition.Reading>,
        _ length: Int64
    ) throws(DrayError) {
        let number = partition.partition
        guard let known = owned[number]?[keyPath: reading], let end = known.end else { return }
        let sliceEnd = min(end, known.next + length)
        try log.read(partition, from: known.next, to: sliceEnd) { record throws(DrayError) in
            owned[number]?[keyPath: reading].next = record.offset + 1
            recall(record)
        }
        owned[number]?[keyPath: reading].next = sliceEnd
    }

    /// Tells a record of the past. What cannot be read was buried by whoever read it first.
    private mutating func recall(_ record: LogRecord) {
        guard case .message(let message) = MessageCodec.read(record),
            topics.partition(ofJob: message.key) == record.partition
        else { return }
        switch message {
        case .job(let job): perform(state.handle(.jobRecord(job), now: now))
        case .result(let result):
            perform(state.handle(.result(result, offset: record.offset), now: now))
        default: break
        }
    }

    private mutating func endTakeOver(_ number: Int) {
        owned[number]?.isTaken = true
        beginSweep(number)
        perform(state.handle(.rebuilt(partition: number), now: now))
        observer(.takenOver(partition: number))
        let waiting = owned[number]?.postponed ?? []
        owned[number]?.postponed = []
        for (request, record) in waiting { ask(request, record) }
    }
}
