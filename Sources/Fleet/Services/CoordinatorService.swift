// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
package import TaskLog

/// Runs a coordinator on a thread of its own, over any log.
package final class CoordinatorService: Sendable {
    /// What the process around it may want to know.
    package enum Notice: Sendable {
        /// A job's plan is known; so many bytes of data were done before.
        case planned(job: String, dataBytes: UInt64, done: UInt64)
        /// A job has ended: its record says how.
        case ended(JobRecord)
        /// A partition of the job topics is taken over: all its jobs go on here.
        case takenOver(partition: Int)
        /// A partition is taken over once more, since its state may miss something.
        case takingAgain(partition: Int)
        /// The past of a partition could not be read: it is tried again after a while.
        case unreadable(partition: Int, DrayError)
        /// The log failed.
        case failure(ServiceFailure)
    }

    private let log: any TaskLog
    private let settings: CoordinatorSettings
    private let topics: Topics
    private let name: String
    private let observer: @Sendable (Notice) -> Void
    private let life: ServiceLife

    /// Makes a service; `observer` is called on its thread and must not block. With `restart` it survives a log that fails for a while;
    /// without, the first failure is its end.
    package init(
        log: any TaskLog,
        settings: CoordinatorSettings,
        topics: Topics,
        name: String,
        restart: RestartPolicy? = nil,
        observer: @escaping @Sendable (Notice) -> Void
    ) {
        self.log = log
        self.settings = settings
        self.topics = topics
        self.name = name
        self.observer = observer
        life = ServiceLife(
            log: log,
            subscription: LogSubscription(
                group: "coordinators",
                shared: [Topics.requests, Topics.results, Topics.jobs],
                isCopartitioned: true
            ),
            restart: restart
        ) { observer(.failure($0)) }
    }

    /// Joins the coordinators' group and starts.
    package func start() throws(DrayError) {
        try life.start { [self] port, _ throws(DrayError) in try serve(port) }
    }

    /// Stops after the events at hand, sees for some seconds that what was sent is durable, commits, and waits for that. Its jobs go on
    /// with another coordinator.
    package func stop() { life.stop() }

    /// Serves until it is to stop, or throws what made it impossible.
    private func serve(_ port: any LogPort) throws(DrayError) {
        defer { port.close() }
        var loop = CoordinatorLoop(
            log: log,
            port: port,
            state: CoordinatorState(settings: settings, topics: topics),
            topics: topics,
            codec: MessageCodec(source: "dray/coordinator/" + name),
            observer: observer
        )
        while !life.isStopping { try loop.turn() }
        loop.leave()
    }
}
