// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Conversion
internal import Fleet
internal import TaskLog

/// Waits for jobs to end, and shows how far they are.
struct JobWait {
    private let follower: JobFollower
    private let signals: StopSignals
    private let progress: ProgressDisplay

    init(_ follower: JobFollower, _ signals: StopSignals, _ progress: ProgressDisplay) {
        self.follower = follower
        self.signals = signals
        self.progress = progress
    }

    /// Returns the last record of each job. `onEvent` is told every event. Throws ``JobService/Stopped`` when a signal asks to
    /// stop waiting: the jobs go on.
    func run(
        onEvent: (EventMessage, LogRecord) throws -> Void = { _, _ in }
    ) throws -> [String: JobRecord] {
        var ends: [String: JobRecord] = [:]
        var total: UInt64 = 0
        var done: UInt64 = 0
        while follower.openCount > 0 {
            if let signal = signals.received {
                progress.abandon()
                throw JobService.Stopped(signal: signal)
            }
            for notice in try follower.next(timeoutMilliseconds: 200) {
                switch notice {
                case .ended(let record): ends[record.order.id] = record
                case .event(let event, let record):
                    switch event.body {
                    case .planned(let plan): total += plan.dataBytes
                    case .range(_, let range): done += range.dataBytes
                    default: break
                    }
                    progress.update(done: done, total: total)
                    try onEvent(event, record)
                }
            }
        }
        let isGood = ends.values.allSatisfy { $0.state == .finished }
        if isGood, total > 0 { progress.finish(total: total) } else { progress.abandon() }
        return ends
    }
}

/// What a job's end means for the command that waited for it.
struct JobEnd {
    /// The exit code.
    let code: Int32
    /// What to tell the person; nil where all is well.
    let message: String?

    init(_ record: JobRecord) {
        switch record.state {
        case .finished: (code, message) = (ExitCode.success, nil)
        case .cancelled: (code, message) = (ExitCode.jobCancelled, "the job was cancelled")
        default:
            let error = record.error ?? DrayError(.bug, "the job failed without an error")
            (code, message) = (ExitCode.of(error.kind), error.description)
        }
    }
}
