// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
package import Conversion
internal import Synchronization
package import TaskLog

/// Runs a worker over any log: one thread that talks to it, and a thread for each slot.
package final class WorkerService: Sendable {
    private struct Inbox {
        var events: [WorkerEvent] = []
        var isStopping = false
    }

    private let log: any TaskLog
    private let settings: WorkerSettings
    private let topics: Topics
    private let steps: StepRunner
    private let cancel: CancelToken
    private let meter: ProgressMeter
    private let onFailure: @Sendable (DrayError) -> Void
    private let inbox = Mutex(Inbox())
    private let pool = SlotPool()
    private let port = Mutex<(any LogPort)?>(nil)
    private let thread = Mutex<OwnThread?>(nil)

    /// Makes a service. `cancel` stops every step; `onFailure` is called when the log is broken for good.
    package init(
        log: any TaskLog,
        settings: WorkerSettings,
        topics: Topics,
        runner: any JobRunner,
        cancel: CancelToken,
        meter: ProgressMeter,
        onFailure: @escaping @Sendable (DrayError) -> Void
    ) {
        self.log = log
        self.settings = settings
        self.topics = topics
        steps = StepRunner(log: log, runner: runner)
        self.cancel = cancel
        self.meter = meter
        self.onFailure = onFailure
    }

    /// Joins the workers' group and starts.
    package func start() throws(DrayError) {
        let opened = try log.open(
            LogSubscription(
                group: "workers",
                shared: Topics.taskShares.keys.sorted(),
                metered: Topics.taskShares,
                tailed: [Topics.control]
            )
        )
        port.withLock { $0 = opened }
        pool.start(settings.slots) { [self] work in
            let body = steps.run(work.task, work.control)
            post(.ended(work.number, body))
        }
        let started = OwnThread { [self] in run(opened) }
        thread.withLock { $0 = started }
    }

    /// Takes no more tasks, lets the running ones end within the grace time, and waits for that.
    package func stop() {
        inbox.withLock { $0.isStopping = true }
        port.withLock { $0 }?.wake()
        thread.withLock { $0.take() }?.join()
    }

    private func post(_ event: WorkerEvent) {
        inbox.withLock { $0.events.append(event) }
        port.withLock { $0 }?.wake()
    }

    private func run(_ port: any LogPort) {
        var loop = WorkerLoop(
            port: port,
            state: WorkerState(settings: settings),
            codec: MessageCodec(source: "dray/worker/" + settings.name),
            topics: topics
        ) { [self] number, task in
            let control = SlotControl(outside: cancel, meter: meter) { [self] bytes in
                post(.sized(number, bytes))
            }
            pool.add(SlotPool.Work(number: number, task: task, control: control))
            return control
        }
        do throws(DrayError) {
            while !loop.isDrained {
                let (events, isStopping) = inbox.withLock { inbox in
                    defer { inbox.events = [] }
                    return (inbox.events, inbox.isStopping)
                }
                try loop.turn(events, isStopping: isStopping)
            }
        } catch {
            loop.stopAll()
            onFailure(error)
        }
        port.close()
        pool.close()
    }
}
