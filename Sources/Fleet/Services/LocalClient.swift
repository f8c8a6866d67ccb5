// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Conversion
internal import Synchronization
internal import TaskLog

/// What stands between a local job's caller and the roles that do it.
final class LocalClient: Sendable {
    private struct State {
        var end: JobRecord?
        var failure: DrayError?
    }

    let meter = ProgressMeter()
    private let state = Mutex(State())
    private let wakeUp = WakeUp()

    /// Takes a notice of the roles; called on their threads.
    func note(_ notice: CoordinatorService.Notice) {
        switch notice {
        case .planned(_, let dataBytes, let done): meter.begin(total: dataBytes, done: done)
        case .ended(let record): state.withLock { $0.end = record }
        case .failure(.broken(let error)): state.withLock { $0.failure = $0.failure ?? error }
        case .takenOver, .takingAgain, .unreadable, .failure(.restarting): return
        }
        wakeUp.raise()
    }

    /// Sends a request as any client would.
    func send(
        _ request: RequestMessage,
        to port: any LogPort,
        _ topics: Topics
    ) throws(DrayError) {
        let target = PartitionID(Topics.requests, topics.partition(ofJob: request.job))
        let record = MessageCodec(source: "dray/local").record(
            .request(request),
            to: target,
            wallMilliseconds: LogClock.wallMilliseconds()
        )
        port.produce(record, token: 0)
    }

    /// Waits for the job's end. Passes a stop from outside on, once.
    func wait(
        _ job: String,
        _ port: any LogPort,
        _ topics: Topics,
        _ cancel: CancelToken,
        _ onProgress: (LocalFleet.Progress) -> Void
    ) throws(DrayError) -> JobRecord {
        var hasCancelled = false
        var nextReport: Int64 = 0
        while true {
            let (end, failure) = state.withLock { ($0.end, $0.failure) }
            if let failure { throw failure }
            if let end { return end }
            if cancel.isCancelled, !hasCancelled {
                hasCancelled = true
                try send(.cancel(job), to: port, topics)
            }
            let now = LogClock.monotonicMilliseconds()
            if now >= nextReport {
                nextReport = now + 100
                onProgress(LocalFleet.Progress(done: meter.done, total: meter.total))
            }
            wakeUp.wait(milliseconds: 20)
        }
    }
}
