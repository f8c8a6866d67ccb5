// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
package import Conversion
internal import Synchronization
internal import TaskLog

/// A fleet in one process: a coordinator and a worker over an embedded log, for one job.
package struct LocalFleet: Sendable {
    /// What came of a job.
    package struct Report: Sendable {
        /// The outcome, as the job's record holds it.
        package let outcome: JobOutcome
        /// The plan.
        package let plan: PlanResult
        /// How long it took, in milliseconds.
        package let milliseconds: Int64
        /// Whether the journal held the outcome of an earlier run, so that nothing was done.
        package let wasDone: Bool
    }

    /// How far a job is.
    package struct Progress: Sendable {
        /// Bytes of data done.
        package let done: UInt64
        /// Bytes of data in all; 0 until the job is planned.
        package let total: UInt64
    }

    /// How many steps run at once.
    package let slots: Int
    /// The file that keeps the job's log, if it is to outlive the process.
    package let journal: String?
    private let makeFolder: @Sendable (String) throws(DrayError) -> any DigestFolding

    /// Describes a fleet of `slots` slots. A slot may wait for its place in the target, so one more than there are processors is good.
    package init(
        slots: Int,
        journal: String? = nil,
        makeFolder: @escaping @Sendable (String) throws(DrayError) -> any DigestFolding = {
            name throws(DrayError) in try BlkhashFolder(name)
        }
    ) {
        self.slots = slots
        self.journal = journal
        self.makeFolder = makeFolder
    }

    /// Runs a job to its end on threads of its own, and returns when all of them have ended.
    ///
    /// Without `id` the job gets one of its own; a job that a journal goes on with keeps its id. The calling thread waits, and calls `onProgress` about ten times a second. Throws the error that ended the job, as the
    /// step that failed threw it; `cancelled` after `cancel` was used. With a journal, goes on where an earlier run of
    /// the same job was cut off; fails with `invalid` where the journal is another job's.
    package func run(
        _ spec: JobSpec,
        id: String? = nil,
        runner: any JobRunner,
        cancel: CancelToken = CancelToken(),
        onProgress: (Progress) -> Void = { _ in }
    ) throws(DrayError) -> Report {
        let topics = Topics()
        let order = JobOrder(id: id ?? Self.freshID(), spec: spec)
        guard let journal else {
            let log = try EmbeddedLog(topics: topics.specs, store: try spill(spec))
            defer { log.close() }
            return try run(order, log, topics, runner, cancel, onProgress)
        }
        let store = try JournalStore(path: journal)
        defer { store.close() }
        let known = try JournaledJob(store, topics, path: journal)
        var named = order
        switch try known.resolve(order) {
        case .done(let record):
            try known.confirm(record, runner, cancel)
            return try report(record, since: nil)
        case .again: try store.erase()
        case .resume(let order):
            named = order
            try known.checkTarget(store, runner, cancel)
        case .new: break
        }
        let log = try EmbeddedLog(topics: topics.specs, store: store)
        defer { log.close() }
        return try run(named, log, topics, runner, cancel, onProgress)
    }

    private func run(
        _ order: JobOrder,
        _ log: EmbeddedLog,
        _ topics: Topics,
        _ runner: any JobRunner,
        _ cancel: CancelToken,
        _ onProgress: (Progress) -> Void
    ) throws(DrayError) -> Report {
        let start = LogClock.monotonicMilliseconds()
        let client = LocalClient()
        let coordinator = CoordinatorService(
            log: log,
            settings: coordinatorSettings,
            topics: topics,
            name: "local",
            observer: client.note
        )
        let worker = WorkerService(
            log: log,
            settings: workerSettings(order.spec),
            topics: topics,
            runner: runner,
            cancel: cancel,
            meter: client.meter,
            observer: { if case .failure(let failure) = $0 { client.note(.failure(failure)) } }
        )
        let port = try log.open(LogSubscription(group: "client"))
        defer { port.close() }
        try worker.start()
        defer { worker.stop() }
        try coordinator.start()
        defer { coordinator.stop() }
        try client.send(.submit(Submission(order)), to: port, topics)
        let record = try client.wait(order.id, port, topics, cancel, onProgress)
        return try report(record, since: start)
    }

    /// An id that no other job has: staging files are named after it.
    private static func freshID() -> String {
        String(UInt64.random(in: UInt64.min...UInt64.max), radix: 16)
    }

    /// A sealed job's results stay until the end. With digests they are too many for memory: they go to a nameless file.
    private func spill(_ spec: JobSpec) throws(DrayError) -> JournalStore? {
        guard spec.target != nil, spec.digest != nil else { return nil }
        return try JournalStore(path: "")
    }

    private func report(_ record: JobRecord, since start: Int64?) throws(DrayError) -> Report {
        guard let outcome = record.outcome, let plan = record.plan else {
            throw record.error ?? DrayError(.cancelled, "the job was stopped")
        }
        return Report(
            outcome: outcome,
            plan: plan,
            milliseconds: start.map { LogClock.monotonicMilliseconds() - $0 } ?? 0,
            wasDone: start == nil
        )
    }

    private func workerSettings(_ spec: JobSpec) -> WorkerSettings {
        var settings = WorkerSettings(name: "local", slots: slots)
        // Places come at once but where they are in guest order.
        settings.parking = spec.target?.isCompressed == true ? slots : 0
        settings.prefetch = slots * 2
        settings.heartbeat = 3_600_000
        settings.grace = 3_600_000
        return settings
    }

    /// No lease: in one process a step that is slow is not helped by a second one beside it.
    private var coordinatorSettings: CoordinatorSettings {
        var settings = CoordinatorSettings(makeFolder: makeFolder)
        settings.window = slots * 3
        settings.firstWindow = slots * 3
        settings.retry = .local
        settings.queueLease = Int64.max / 4
        settings.runLease = Int64.max / 4
        settings.drain = Int64.max / 4
        settings.takenDrain = 0
        settings.keepsResults = journal != nil
        settings.plansAgain = true
        settings.publishesEvents = false
        settings.retention = nil
        return settings
    }
}
