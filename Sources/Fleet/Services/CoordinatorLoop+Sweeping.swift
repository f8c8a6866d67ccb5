// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import TaskLog

/// The removal of records of jobs that ended long ago from a partition of a compacted topic, which would keep them for ever.
struct Sweep {
    /// How long such a record stays.
    let age: Milliseconds
    /// The first offset that was not looked at.
    var next: Int64 = 0
    /// Where the old records end, as far as is known.
    var end: Int64 = 0
    /// When it goes on.
    var dueAt = Milliseconds.min

    /// How often it is looked whether records have become old.
    var interval: Milliseconds { min(max(age / 24, 1000), 3_600_000) }
}

extension CoordinatorLoop {
    /// How many offsets are swept between two polls.
    private static let sweepSlice: Int64 = 2000

    /// Sweeps a partition that was taken over; whoever has the first one sweeps `control` too.
    mutating func beginSweep(_ number: Int) {
        guard let retention = state.retention else { return }
        let jobs = PartitionID(Topics.jobs, number)
        if sweeps[jobs] == nil { sweeps[jobs] = Sweep(age: retention.jobs) }
        let control = PartitionID(Topics.control, 0)
        if number == 0, sweeps[control] == nil { sweeps[control] = Sweep(age: retention.control) }
    }

    mutating func endSweep(_ number: Int) {
        sweeps[PartitionID(Topics.jobs, number)] = nil
        if number == 0 { sweeps[PartitionID(Topics.control, 0)] = nil }
    }

    /// Sweeps on where it is due. What cannot be read is not urgent.
    mutating func sweepSlice() {
        let time = now
        guard let place = sweeps.first(where: { $0.value.dueAt <= time })?.key,
            var sweep = sweeps[place]
        else { return }
        do throws(DrayError) {
            if sweep.next >= sweep.end {
                let limit = LogClock.wallMilliseconds() - sweep.age
                sweep.end = try log.offset(of: place, atOrAfter: limit)
            }
            let end = min(sweep.end, sweep.next + Self.sweepSlice)
            if end > sweep.next {
                try log.read(place, from: sweep.next, to: end) { record throws(DrayError) in
                    remove(record)
                }
                sweep.next = end
            }
            if sweep.next >= sweep.end { sweep.dueAt = time + sweep.interval }
        } catch {
            sweep.dueAt = time + sweep.interval
        }
        sweeps[place] = sweep
    }

    /// Removes what an old record is about, if that has ended.
    private mutating func remove(_ record: LogRecord) {
        guard case .message(let message) = MessageCodec.read(record), !state.has(message.key) else {
            return
        }
        switch message {
        case .job(let job) where job.state.isEnd:
            erase(message.key, in: record.source)
            erase(message.key, in: PartitionID(Topics.control, 0))
        case .control(let control) where control.state == .finished:
            erase(message.key, in: record.source)
        default: break
        }
    }

    private mutating func erase(_ job: String, in target: PartitionID) {
        lastToken += 1
        undelivered[lastToken] = .some(nil)
        let tombstone = NewRecord(target, key: Array(job.utf8), headers: [], value: nil)
        port.produce(tombstone, token: lastToken)
    }
}
