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
    let begin: @Sendable (RunNumber, TaskMessage) -> SlotControl
    private(set) var isDrained = false

    private var controls: [RunNumber: SlotControl] = [:]
    private var nextHeartbeat = Milliseconds.min
    private var isDraining = false

    init(
        port: any LogPort,
        state: WorkerState,
        codec: MessageCodec,
        topics: Topics,
        begin: @escaping @Sendable (RunNumber, TaskMessage) -> SlotControl
    ) {
        self.port = port
        self.state = state
        self.codec = codec
        self.topics = topics
        self.begin = begin
    }

    /// Deals with what the slots say, then waits for the log and deals with that.
    mutating func turn(_ posted: [WorkerEvent], isStopping: Bool) throws(DrayError) {
        for event in posted { try tell(event) }
        if isStopping, !isDraining {
            isDraining = true
            try tell(.drain)
        }
        let wait = (state.nextTick ?? .max) - min(now, state.nextTick ?? .max)
        let isIdle = posted.isEmpty && !isStopping
        let events = try port.poll(
            timeoutMilliseconds: isIdle || !controls.isEmpty ? Int(min(max(wait, 0), 500)) : 0,
            credits: state.credits
        )
        for event in events { try take(event) }
        if now >= nextHeartbeat {
            nextHeartbeat = now + 1000
            for (number, control) in controls {
                try tell(.progress(number, control.bytesDone))
            }
        }
        try tell(.tick)
    }

    /// Tells every running step to stop.
    func stopAll() {
        for control in controls.values { control.stop() }
    }

    private var now: Milliseconds { LogClock.monotonicMilliseconds() }

    private mutating func take(_ event: LogEvent) throws(DrayError) {
        switch event {
        case .assigned(let places): try tell(.assigned(places))
        case .revoked(let partitions, _): try tell(.revoked(partitions))
        case .delivered(let token, let failure):
            try tell(.delivered(token: token, isDurable: failure == nil))
        case .record(let record): try take(record)
        }
    }

    private mutating func take(_ record: LogRecord) throws(DrayError) {
        switch MessageCodec.read(record) {
        case .message(.task(let task)):
            try tell(.task(task, record.source, offset: record.offset))
        case .message(.control(let control)): try tell(.control(control))
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
            case .begin(let number, let task): controls[number] = begin(number, task)
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
