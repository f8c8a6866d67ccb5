// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Conversion
internal import TaskLog

/// The worker's rules: a state machine without I/O or clock. Whoever drives it runs the steps and talks to the log.
///
/// A task's outcome is published and durable before its offset counts as done. What it keeps is bounded by its credits.
package struct WorkerState {
    var settings: WorkerSettings
    var runs: [RunNumber: WorkerRun] = [:]
    var byName: [TaskName: RunNumber] = [:]
    var waiting: [RunNumber] = []
    var controls: [String: JobControl] = [:]
    var endedJobs = RecentSet<String>(limit: 50_000)
    /// Attempts whose outcome is durable, so that a record that comes again is known.
    var doneAttempts = RecentSet<AttemptName>(limit: 10_000)
    var trackers: [PartitionID: (tracker: OffsetTracker, assignment: Int)] = [:]
    var letters: [UInt64: PendingLetter] = [:]
    var tokens: [UInt64: RunNumber] = [:]
    /// Reports of the progress of plan steps that are not durable yet.
    var beats: [UInt64: Beat] = [:]
    var lastNumber: UInt64 = 0
    var assignments = 0
    var nextCommit = Milliseconds.min
    var drainDeadline: Milliseconds?
    var isDrained = false
    var actions: [WorkerAction] = []

    /// Makes a worker that has nothing yet.
    package init(settings: WorkerSettings) { self.settings = settings }

    /// How many more tasks may be taken in now.
    package var credits: Int {
        guard drainDeadline == nil, trackers.values.allSatisfy({ $0.tracker.hasRoom }) else {
            return 0
        }
        let parked = min(settings.parking, parkedCount)
        return max(0, settings.slots + settings.prefetch + parked - activeCount)
    }

    /// When ``WorkerEvent/tick`` is needed at the latest, without other events.
    package var nextTick: Milliseconds? {
        var first = drainDeadline ?? .max
        for run in runs.values { first = min(first, run.resendAt, run.askAgainAt) }
        first = min(first, nextHandBack)
        if let run = waiting.first.flatMap({ runs[$0] }) { first = min(first, run.waitsUntil) }
        return first == .max ? nil : first
    }

    /// Takes note of `event` at `now` and says what is to be done.
    package mutating func handle(_ event: WorkerEvent, now: Milliseconds) -> [WorkerAction] {
        switch event {
        case .assigned(let places): assign(places)
        case .revoked(let partitions): revoke(partitions)
        case .task(let task, let partition, let offset): accept(task, partition, offset, now)
        case .unreadable(let letter, let partition, let offset):
            reject(letter, partition, offset, now)
        case .control(let record): heed(record, now)
        case .sized(let number, let space): ask(number, space, now)
        case .progress(let number, let bytes, let signs): heartbeat(number, bytes, signs, now)
        case .ended(let number, let body): end(number, body, now)
        case .delivered(let token, let isDurable): delivered(token, isDurable, now)
        case .refused(let token, let error): refused(token, error, now)
        case .drain: drain(now)
        case .tick: tick(now)
        }
        defer { actions = [] }
        return actions
    }

    /// Starts waiting runs while slots are free: announces them first.
    mutating func fillSlots(_ now: Milliseconds) {
        while let number = waiting.first, let run = runs[number], canStart(run) {
            waiting.removeFirst()
            runs[number]?.phase = .announced
            publish(number, .started, now)
        }
    }

    /// Publishes a report of a run and waits for it to be durable.
    mutating func publish(_ number: RunNumber, _ body: ResultMessage.Body, _ now: Milliseconds) {
        guard let run = runs[number] else { return }
        let result = report(run, body)
        runs[number]?.outgoing = result
        runs[number]?.resendAt = .max
        runs[number]?.reportedAt = now
        actions.append(.publish(result, token: newToken(for: number)))
    }

    func report(_ run: WorkerRun, _ body: ResultMessage.Body) -> ResultMessage {
        ResultMessage(
            task: run.task.name,
            attempt: run.task.attempt,
            epoch: run.task.epoch,
            run: "\(settings.name)/\(run.number)",
            body: body
        )
    }

    mutating func newToken(for number: RunNumber) -> UInt64 {
        lastNumber += 1
        if let old = runs[number]?.token { tokens[old] = nil }
        tokens[lastNumber] = number
        runs[number]?.token = lastNumber
        return lastNumber
    }

    /// A token for what no one waits for.
    mutating func idleToken() -> UInt64 {
        lastNumber += 1
        return lastNumber
    }

    /// Whether a run must not begin or go on: its job has ended, or only its clean-up is to run.
    func isUnwanted(_ task: TaskMessage) -> Bool {
        if endedJobs.contains(task.order.id) { return task.step != .discard }
        guard let control = controls[task.order.id], control.epoch >= task.epoch else {
            return false
        }
        if control.state == .cancelled { return task.step != .discard }
        return control.refused.contains(task.index) && task.step == .range
    }

    private var activeCount: Int { runs.values.count { $0.phase != .ended } }

    private var parkedCount: Int { runs.values.count { $0.isParked } }

    private func canStart(_ run: WorkerRun) -> Bool {
        var begun = 0
        for other in runs.values where other.phase == .announced || other.phase == .running {
            if other.task.isIsolated { return false }
            begun += 1
        }
        if run.task.isIsolated { return begun == 0 }
        return begun - parkedCount < settings.slots && begun < settings.slots + settings.parking
    }
}

/// One attempt at a piece of work.
struct AttemptName: Hashable {
    let task: TaskName
    let attempt: Int
    let epoch: Int

    init(_ task: TaskMessage) {
        self.task = task.name
        attempt = task.attempt
        epoch = task.epoch
    }
}
