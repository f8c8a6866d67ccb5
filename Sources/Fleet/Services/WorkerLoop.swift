// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Conversion
internal import TaskLog

/// Drives a ``WorkerState`` over a log: turns records into events and actions into records and running steps.
struct WorkerLoop {
    let port: any LogPort
    var state: WorkerState
    let codec: MessageCodec
    let topics: Topics
    let observer: @Sendable (WorkerService.Notice) -> Void
    let begin: @Sendable (RunNumber, TaskMessage, Milliseconds) -> SlotControl
    /// Whether everything is done and committed that was begun.
    private(set) var isDrained = false

    private var controls: [RunNumber: SlotControl] = [:]
    private var nextHeartbeat = Milliseconds.min
    private var leaveAt = Milliseconds.max
    private let beat: Milliseconds
    /// How long a worker stays beyond the grace time for steps that stop, and for what it sent.
    private static let leaveTime: Milliseconds = 5000

    init(
        port: any LogPort,
        state: WorkerState,
        codec: MessageCodec,
        topics: Topics,
        observer: @escaping @Sendable (WorkerService.Notice) -> Void,
        begin: @escaping @Sendable (RunNumber, TaskMessage, Milliseconds) -> SlotControl
    ) {
        self.port = port
        self.state = state
        self.codec = codec
        self.topics = topics
        self.observer = observer
        self.begin = begin
        beat = max(1, min(1000, state.settings.heartbeat / 2))
    }

    /// Deals with what the slots say, then waits for the log and deals with that.
    mutating func turn(_ posted: [WorkerEvent], isStopping: Bool) throws(DrayError) {
        for event in posted { try tell(event) }
        var isIdle = posted.isEmpty
        if isStopping, leaveAt == .max {
            leaveAt = now + state.settings.grace + Self.leaveTime
            isIdle = false
            try tell(.drain)
        }
        let due = state.nextTick ?? .max
        let wait = min(max(due - min(now, due), 0), min(500, beat))
        let events = try port.poll(
            timeoutMilliseconds: isIdle ? Int(wait) : 0,
            credits: state.credits
        )
        for event in events { try take(event) }
        if now >= nextHeartbeat {
            nextHeartbeat = now + beat
            for (number, control) in controls {
                try tell(.progress(number, control.bytesDone, signs: control.signs))
            }
        }
        try tell(.tick)
    }

    /// Whether the worker may leave, or has to since its time is over.
    var isDone: Bool { isDrained || now >= leaveAt }

    /// Tells every running step to stop.
    func stopAll() {
        for control in controls.values { control.stop() }
    }

    private var now: Milliseconds { LogClock.monotonicMilliseconds() }

    private mutating func take(_ event: LogEvent) throws(DrayError) {
        switch event {
        case .assigned(let places):
            try tell(.assigned(places))
            observer(.assigned(places.map(\.partition)))
        case .revoked(let partitions, _):
            try tell(.revoked(partitions))
            observer(.revoked(partitions))
        case .delivered(let token, let failure):
            if let failure, failure.kind != .resource {
                return try tell(.refused(token: token, failure))
            }
            try tell(.delivered(token: token, isDurable: failure == nil))
        case .record(let record): try take(record)
        }
    }

    /// Takes note of a record of `control` that was there before the worker took its first task.
    mutating func learn(_ record: LogRecord) throws(DrayError) {
        guard case .message(.control(let control)) = MessageCodec.read(record) else { return }
        try tell(.control(control))
    }

    private mutating func take(_ record: LogRecord) throws(DrayError) {
        switch MessageCodec.read(record) {
        case .message(.task(let task)):
            try tell(.task(task, record.source, offset: record.offset))
        case .message(.control(let control)): try tell(.control(control))
        case .removed: break
        case .message:
            guard Topics.taskShares[record.topic] != nil else { return }
            let error = DrayError(.unsupported, "the record is in the wrong topic")
            let letter = DeadLetter(record, error)
            try tell(.unreadable(letter, record.source, offset: record.offset))
        case .unreadable(let letter):
            guard Topics.taskShares[record.topic] != nil else { return }
            try tell(.unreadable(letter, record.source, offset: record.offset))
        }
    }

    private mutating func tell(_ event: WorkerEvent) throws(DrayError) {
        if case .ended(let number, _) = event { controls[number] = nil }
        for action in state.handle(event, now: now) {
            switch action {
            case .begin(let number, let task, let end): controls[number] = begin(number, task, end)
            case .renew(let number, let end): controls[number]?.renew(until: end)
            case .place(let number, let offset): controls[number]?.place(offset)
            case .stop(let number): controls[number]?.stop()
            case .publish(let result, let token):
                let number = topics.partition(ofJob: result.task.job)
                try send(.result(result), to: PartitionID(Topics.results, number), token)
            case .deadLetter(let letter, let token):
                try send(.deadLetter(letter), to: PartitionID(Topics.deadLetters, 0), token)
            case .commit(let places): port.commit(places)
            case .drained: isDrained = true
            }
        }
    }

    private func send(
        _ message: Message,
        to target: PartitionID,
        _ token: UInt64
    ) throws(DrayError) {
        let wall = LogClock.wallMilliseconds()
        let record = codec.record(message, to: target, wallMilliseconds: wall)
        port.produce(record, token: token)
    }
}
