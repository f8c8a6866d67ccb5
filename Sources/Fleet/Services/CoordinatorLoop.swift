// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Conversion
internal import TaskLog

/// Drives a ``CoordinatorState`` over a log: turns records into events and actions into records.
///
/// A place is committed only when everything that was published on account of the records before it is durable.
struct CoordinatorLoop {
    let log: any TaskLog
    let port: any LogPort
    var state: CoordinatorState
    let topics: Topics
    let codec: MessageCodec
    let observer: @Sendable (CoordinatorService.Notice) -> Void

    private var lastToken: UInt64 = 0
    private var undelivered: [UInt64: CoordinatorEvent?] = [:]
    /// Partitions whose past is being told, with where it ends.
    private var replayEnds: [Int: Int64] = [:]
    private var postponed: [(CoordinatorEvent, LogRecord)] = []
    private var requestPositions: [PartitionID: (offset: Int64, token: UInt64)] = [:]
    private var floors: (places: [LogPosition], token: UInt64)?
    private var nextCommit = Milliseconds.min
    private static let commitInterval: Milliseconds = 500

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

    /// Waits for events and deals with them.
    mutating func turn() throws(DrayError) {
        let wait = (state.nextTick ?? .max) - min(now, state.nextTick ?? .max)
        let events = try port.poll(
            timeoutMilliseconds: Int(min(max(wait, 0), 500)),
            credits: Int.max
        )
        for event in events { try take(event) }
        try perform(state.handle(.tick, now: now))
        if now >= nextCommit { commit() }
    }

    /// Commits for the last time.
    mutating func leave() { commit() }

    private var now: Milliseconds { LogClock.monotonicMilliseconds() }

    private mutating func take(_ event: LogEvent) throws(DrayError) {
        switch event {
        case .record(let record): try take(record)
        case .assigned(let places):
            for place in places where place.partition.topic == Topics.results {
                try takeOver(place)
            }
        case .revoked(let partitions, _):
            for partition in partitions where partition.topic == Topics.results {
                replayEnds[partition.partition] = nil
                floors = nil
                try perform(state.handle(.lost(partition: partition.partition), now: now))
            }
        case .delivered(let token, let failure):
            if let failure { throw failure }
            if let next = undelivered.removeValue(forKey: token), let event = next {
                try perform(state.handle(event, now: now))
            }
        }
    }

    private mutating func takeOver(_ place: LogPosition) throws(DrayError) {
        let number = place.partition.partition
        try perform(state.handle(.taken(partition: number, from: place.offset), now: now))
        let jobs = PartitionID(Topics.jobs, number)
        var records: [JobRecord] = []
        try log.read(jobs, from: 0, to: try log.end(of: jobs)) { record throws(DrayError) in
            if case .job(let job) = try MessageCodec.message(record) { records.append(job) }
        }
        for record in records { try perform(state.handle(.jobRecord(record), now: now)) }
        let end = try log.end(of: place.partition)
        replayEnds[number] = end
        if place.offset >= end { try endReplay(number) }
    }

    private mutating func endReplay(_ number: Int) throws(DrayError) {
        replayEnds[number] = nil
        try perform(state.handle(.rebuilt(partition: number), now: now))
        let waiting = postponed.filter { $0.1.partition == number }
        postponed.removeAll { $0.1.partition == number }
        for (request, record) in waiting { try ask(request, record) }
    }

    private mutating func take(_ record: LogRecord) throws(DrayError) {
        switch MessageCodec.read(record) {
        case .message(.request(let request)): try ask(.request(request), record)
        case .message(.result(let result)):
            try perform(state.handle(.result(result, offset: record.offset), now: now))
        case .message(.job(let job)): try perform(state.handle(.jobRecord(job), now: now))
        case .message:
            let error = DrayError(.unsupported, "the record is in the wrong topic")
            try bury(DeadLetter(record, error))
        case .unreadable(let letter):
            try bury(letter)
            if let id = refusedJob(record) { try ask(.refused(job: id, letter.error), record) }
        }
        if let end = replayEnds[record.partition], record.topic == Topics.results,
            record.offset + 1 >= end
        {
            try endReplay(record.partition)
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

    private mutating func ask(
        _ request: CoordinatorEvent,
        _ record: LogRecord
    ) throws(DrayError) {
        guard replayEnds[record.partition] == nil else {
            return postponed.append((request, record))
        }
        try perform(state.handle(request, now: now))
        requestPositions[record.source] = (record.offset + 1, lastToken)
    }

    private mutating func bury(_ letter: DeadLetter) throws(DrayError) {
        try send(.deadLetter(letter), to: PartitionID(Topics.deadLetters, 0))
    }

    private mutating func perform(_ actions: [CoordinatorAction]) throws(DrayError) {
        for action in actions {
            switch action {
            case .issue(let task, let place): try send(.task(task), to: place)
            case .record(let record):
                let id = record.order.id
                let next = CoordinatorEvent.recorded(job: id, record.state)
                try send(.job(record), to: place(Topics.jobs, id), then: next)
            case .control(let record):
                try send(.control(record), to: PartitionID(Topics.control, 0))
            case .event(let event, let mark):
                let next = mark.map { CoordinatorEvent.published(job: event.job, $0) }
                try send(.event(event), to: place(Topics.events, event.job), then: next)
            case .deadLetter(let letter):
                try send(.deadLetter(letter), to: PartitionID(Topics.deadLetters, 0))
            case .planned(let job, let dataBytes, let done):
                observer(.planned(job: job, dataBytes: dataBytes, done: done))
            case .ended(let record): observer(.ended(record))
            case .takeAgain(let partition):
                throw DrayError(.resource, "partition \(partition) must be taken over anew")
            }
        }
    }

    private func place(_ topic: String, _ job: String) -> PartitionID {
        PartitionID(topic, topics.partition(ofJob: job))
    }

    private mutating func send(
        _ message: Message,
        to target: PartitionID,
        then next: CoordinatorEvent? = nil
    ) throws(DrayError) {
        let wall = LogClock.wallMilliseconds()
        let record = codec.record(message, to: target, wallMilliseconds: wall)
        lastToken += 1
        undelivered[lastToken] = .some(next)
        port.produce(record, token: lastToken)
    }

    private mutating func commit() {
        nextCommit = now + Self.commitInterval
        let oldest = undelivered.keys.min() ?? .max
        var places: [LogPosition] = []
        for (partition, reached) in requestPositions where oldest > reached.token {
            places.append(LogPosition(partition, offset: reached.offset))
            requestPositions[partition] = nil
        }
        if let floors, oldest > floors.token {
            places += floors.places
            self.floors = nil
        }
        if !places.isEmpty { port.commit(places) }
        // On a busy log something is always on its way: what is needed now is committed when that has arrived.
        if floors == nil { floors = (currentFloors(), lastToken) }
    }

    private func currentFloors() -> [LogPosition] {
        (0..<topics.jobPartitions).compactMap { number in
            state.floor(ofResults: number).map {
                LogPosition(PartitionID(Topics.results, number), offset: $0)
            }
        }
    }
}
