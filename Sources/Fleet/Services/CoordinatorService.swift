// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
internal import Synchronization
package import TaskLog

/// Runs a coordinator on a thread of its own, over any log.
package final class CoordinatorService: Sendable {
    /// What the process around it may want to know.
    package enum Notice: Sendable {
        /// A job's plan is known; so many bytes of data were done before.
        case planned(job: String, dataBytes: UInt64, done: UInt64)
        /// A job has ended: its record says how.
        case ended(JobRecord)
        /// The service is over because the log is.
        case broken(DrayError)
    }

    private let log: any TaskLog
    private let settings: CoordinatorSettings
    private let topics: Topics
    private let name: String
    private let observer: @Sendable (Notice) -> Void
    private let isStopping = Atomic(false)
    private let port = Mutex<(any LogPort)?>(nil)
    private let thread = Mutex<OwnThread?>(nil)

    /// Makes a service; `observer` is called on its thread and must not block.
    package init(
        log: any TaskLog,
        settings: CoordinatorSettings,
        topics: Topics,
        name: String,
        observer: @escaping @Sendable (Notice) -> Void
    ) {
        self.log = log
        self.settings = settings
        self.topics = topics
        self.name = name
        self.observer = observer
    }

    /// Joins the coordinators' group and starts.
    package func start() throws(DrayError) {
        let opened = try log.open(
            LogSubscription(
                group: "coordinators",
                shared: [Topics.requests, Topics.results],
                isCopartitioned: true
            )
        )
        port.withLock { $0 = opened }
        let started = OwnThread { [self] in run(opened) }
        thread.withLock { $0 = started }
    }

    /// Stops after the events at hand and waits for that. Its jobs go on with another coordinator.
    package func stop() {
        isStopping.store(true, ordering: .relaxed)
        port.withLock { $0 }?.wake()
        thread.withLock { $0.take() }?.join()
    }

    private func run(_ port: any LogPort) {
        var loop = CoordinatorLoop(
            log: log,
            port: port,
            state: CoordinatorState(settings: settings, topics: topics),
            topics: topics,
            codec: MessageCodec(source: "dray/coordinator/" + name),
            observer: observer
        )
        do throws(DrayError) {
            while !isStopping.load(ordering: .relaxed) { try loop.turn() }
            loop.leave()
        } catch {
            observer(.broken(error))
        }
        port.close()
    }
}
