// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
package import Conversion
package import TaskLog

/// Runs a worker over any log: one thread that talks to it, and a thread for each slot.
package final class WorkerService: Sendable {
    /// What the process around it may want to know.
    package enum Notice: Sendable {
        /// These partitions of the topics of tasks are this worker's.
        case assigned([PartitionID])
        /// These are someone else's.
        case revoked([PartitionID])
        /// The log failed; the steps are stopped.
        case failure(ServiceFailure)
        /// The grace time is over, but steps still run: they are left behind, and others will do their tasks again.
        case leftBehind
    }

    private let log: any TaskLog
    private let settings: WorkerSettings
    private let topics: Topics
    private let steps: StepRunner
    private let cancel: CancelToken
    private let meter: ProgressMeter
    private let observer: @Sendable (Notice) -> Void
    private let life: ServiceLife

    /// Makes a service. `cancel` stops every step; `observer` is called on the service's thread and must not block. With `restart` it
    /// survives a log that fails for a while; without, the first failure is its end.
    package init(
        log: any TaskLog,
        settings: WorkerSettings,
        topics: Topics,
        runner: any JobRunner,
        cancel: CancelToken,
        meter: ProgressMeter,
        restart: RestartPolicy? = nil,
        observer: @escaping @Sendable (Notice) -> Void
    ) {
        self.log = log
        self.settings = settings
        self.topics = topics
        steps = StepRunner(log: log, runner: runner)
        self.cancel = cancel
        self.meter = meter
        self.observer = observer
        life = ServiceLife(
            log: log,
            subscription: LogSubscription(
                group: "workers",
                shared: Topics.taskShares.keys.sorted(),
                metered: Topics.taskShares,
                tailed: [Topics.control]
            ),
            restart: restart
        ) { observer(.failure($0)) }
    }

    /// Joins the workers' group and starts.
    package func start() throws(DrayError) {
        try life.start { [self] port, number throws(DrayError) in try serve(port, beginning: number)
        }
    }

    /// Takes no more tasks, lets the running ones end within the grace time, and waits for that: some seconds longer at the most.
    package func stop() { life.stop() }

    /// Serves until it is to stop and has drained, or throws what made it impossible, having stopped its steps.
    private func serve(_ port: any LogPort, beginning: Int) throws(DrayError) {
        let inbox = WorkerInbox(port: port)
        let pool = SlotPool()
        var loop = loop(port, beginning: beginning) { [cancel, meter] number, task, leaseEnd in
            let control = SlotControl(leaseEnd: leaseEnd, outside: cancel, meter: meter) { space in
                inbox.post(.sized(number, space))
            }
            pool.add(SlotPool.Work(number: number, task: task, control: control))
            return control
        }
        do throws(DrayError) {
            try pool.start(settings.slots + settings.parking) { [steps] work in
                inbox.post(.ended(work.number, steps.run(work.task, work.control)))
            }
            try learn(&loop)
            while !loop.isDone {
                let isStopping = life.isStopping
                try loop.turn(inbox.take(), isStopping: isStopping)
            }
        } catch {
            loop.stopAll()
            port.close()
            pool.close(within: settings.grace)
            throw error
        }
        port.close()
        loop.stopAll()
        if !pool.close(within: loop.isDrained ? settings.grace : 1000) { observer(.leftBehind) }
    }

    /// Learns what became of jobs before it takes a task: one may lie there of a job that has ended since, whose target has been
    /// taken away, and must not come back.
    private func learn(_ loop: inout WorkerLoop) throws(DrayError) {
        let control = PartitionID(Topics.control, 0)
        try log.read(control, from: 0, to: try log.end(of: control)) { record throws(DrayError) in
            try loop.learn(record)
        }
    }

    private func loop(
        _ port: any LogPort,
        beginning: Int,
        begin: @escaping @Sendable (RunNumber, TaskMessage, Milliseconds) -> SlotControl
    ) -> WorkerLoop {
        var named = settings
        // Runs are numbered from 1 after each beginning, and no two runs may have one name.
        if beginning > 1 { named.name += ".\(beginning)" }
        return WorkerLoop(
            port: port,
            state: WorkerState(settings: named),
            codec: MessageCodec(source: "dray/worker/" + settings.name),
            topics: topics,
            observer: observer,
            begin: begin
        )
    }
}
