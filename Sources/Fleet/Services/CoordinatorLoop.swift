// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Conversion
internal import TaskLog

/// Drives a ``CoordinatorState`` over a log: turns records into events and actions into records.
///
/// A partition is taken over by reading `jobs` whole and `results` from the committed floor, in slices between polls; then what comes
/// live is told. Whatever was told once is skipped when it comes again by the other way. A place is committed only when everything
/// that was published on account of the records before it is durable.
struct CoordinatorLoop {
    let log: any TaskLog
    let port: any LogPort
    var state: CoordinatorState
    let topics: Topics
    let codec: MessageCodec
    let observer: @Sendable (CoordinatorService.Notice) -> Void

    /// The partitions that are this coordinator's.
    var owned: [Int: OwnedPartition] = [:]
    var lastToken: UInt64 = 0
    var undelivered: [UInt64: CoordinatorEvent?] = [:]
    /// Places to be committed when everything up to the token is durable.
    var batch: (places: [LogPosition], token: UInt64)?
    var committed: [PartitionID: Int64] = [:]
    var sweeps: [PartitionID: Sweep] = [:]
    var nextCommit = Milliseconds.min
    var nextWholeCommit = Milliseconds.min

    init(
        log: any TaskLog,
        port: any LogPort,
        state: CoordinatorState,
        topics: Topics,
        codec: MessageCodec,
        observer: @escaping @Sendable (CoordinatorService.Notice) -> Void
    ) {
        self.log = log
        self.port = port
        self.state = state
        self.topics = topics
        self.codec = codec
        self.observer = observer
    }

    /// Waits for events and deals with them. Throws what ended the log, or what it refused to take.
    mutating func turn() throws(DrayError) {
        let due = min(state.nextTick ?? .max, nextSlice ?? .max)
        let wait = min(max(due - min(now, due), 0), 500)
        let events = try port.poll(timeoutMilliseconds: Int(wait), credits: Int.max)
        for event in events { try take(event) }
        readSlice()
        if nextSlice == nil { sweepSlice() }
        perform(state.handle(.tick, now: now))
        if now >= nextCommit { commit() }
    }

    var now: Milliseconds { LogClock.monotonicMilliseconds() }

    private mutating func take(_ event: LogEvent) throws(DrayError) {
        switch event {
        case .record(let record): take(record)
        case .assigned(let places):
            for place in places where place.partition.topic == Topics.results { takeOver(place) }
        case .revoked(let partitions, let isLost):
            let numbers = partitions.filter { $0.topic == Topics.results }.map(\.partition)
            if !isLost { commit(leaving: numbers) }
            for number in numbers { lose(number) }
        case .delivered(let token, let failure):
            if let failure { throw failure }
            if let next = undelivered.removeValue(forKey: token), let event = next {
                perform(state.handle(event, now: now))
            }
        }
    }

    /// Takes a record that came live. What does not come from a partition that is ours is someone else's by now.
    private mutating func take(_ record: LogRecord) {
        let number = record.partition
        switch record.topic {
        case Topics.requests: tell(record)
        case Topics.jobs where owned[number]?.jobs.isNews(record.offset) == true: tell(record)
        case Topics.results where owned[number]?.results.isNews(record.offset) == true:
            tell(record)
        default: break
        }
    }

    private mutating func tell(_ record: LogRecord) {
        guard owned[record.partition] != nil else { return }
        switch MessageCodec.read(record) {
        case .message(let message): tell(message, record)
        case .removed: break
        case .unreadable(let letter):
            bury(letter)
            if let id = refusedJob(record) { ask(.refused(job: id, letter.error), record) }
        }
    }

    private mutating func tell(_ message: Message, _ record: LogRecord) {
        guard topics.partition(ofJob: message.key) == record.partition else {
            let error = DrayError(.unsupported, "the record is in the wrong partition")
            return bury(DeadLetter(record, error))
        }
        switch (message, record.topic) {
        case (.request(let request), Topics.requests): ask(.request(request), record)
        case (.result(let result), Topics.results):
            perform(state.handle(.result(result, offset: record.offset), now: now))
        case (.job(let job), Topics.jobs): perform(state.handle(.jobRecord(job), now: now))
        default:
            let error = DrayError(.unsupported, "the record is in the wrong topic")
            bury(DeadLetter(record, error))
        }
    }

    /// The job that an unreadable request is about: its client is to learn that it was refused.
    private func refusedJob(_ record: LogRecord) -> String? {
        guard record.topic == Topics.requests, MessageCodec.type(of: record) == .submit,
            let key = record.key, key.count <= JobID.longest
        else { return nil }
        let id = String(decoding: key, as: UTF8.self)
        guard JobID.isValid(id), topics.partition(ofJob: id) == record.partition else { return nil }
        return id
    }

    /// Tells a request, but not before the past of its partition has been told.
    mutating func ask(_ request: CoordinatorEvent, _ record: LogRecord) {
        let number = record.partition
        if owned[number]?.isTaken == true { perform(state.handle(request, now: now)) }
        // The request itself may have shown that the partition has to be taken over again.
        guard owned[number]?.isTaken == true else {
            owned[number]?.postponed.append((request, record))
            return
        }
        owned[number]?.requests = record.offset + 1
    }

    private mutating func bury(_ letter: DeadLetter) {
        send(.deadLetter(letter), to: PartitionID(Topics.deadLetters, 0))
    }

    mutating func perform(_ actions: [CoordinatorAction]) {
        for action in actions {
            switch action {
            case .issue(let task, let place): send(.task(task), to: place)
            case .record(let record):
                let id = record.order.id
                let next = CoordinatorEvent.recorded(
                    job: id,
                    record.state,
                    epoch: record.epoch
                )
                send(.job(stamped(record)), to: place(Topics.jobs, id), then: next)
            case .control(let record):
                send(.control(record), to: PartitionID(Topics.control, 0))
            case .event(let event, let mark):
                let next = mark.map { CoordinatorEvent.published(job: event.job, $0) }
                send(.event(event), to: place(Topics.events, event.job), then: next)
            case .deadLetter(let letter): bury(letter)
            case .planned(let job, let dataBytes, let done):
                observer(.planned(job: job, dataBytes: dataBytes, done: done))
            case .ended(let record): observer(.ended(record))
            case .takeAgain(let partition): takeAgain(partition)
            }
        }
    }

    /// A state machine has no clock to say when a job ended.
    private func stamped(_ record: JobRecord) -> JobRecord {
        guard record.state.isEnd, record.endedAt == nil else { return record }
        var stamped = record
        stamped.endedAt = LogClock.wallMilliseconds()
        return stamped
    }

    private func place(_ topic: String, _ job: String) -> PartitionID {
        PartitionID(topic, topics.partition(ofJob: job))
    }

    private mutating func send(
        _ message: Message,
        to target: PartitionID,
        then next: CoordinatorEvent? = nil
    ) {
        let wall = LogClock.wallMilliseconds()
        let record = codec.record(message, to: target, wallMilliseconds: wall)
        lastToken += 1
        undelivered[lastToken] = .some(next)
        port.produce(record, token: lastToken)
    }
}
