// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import Conversion
import DiskImage
import Fleet
import Synchronization
import TaskLog
import Testing

/// A coordinator and workers as services over a log that may fail, with the times of a fleet made short.
final class FleetRig: Sendable {
    /// What the services told.
    struct Notices {
        var coordinator: [CoordinatorService.Notice] = []
        var worker: [WorkerService.Notice] = []
    }

    let topics: Topics
    let log: FaultyLog
    let notices = Mutex(Notices())
    private let news = WakeUp()
    private let client: any LogPort

    init(topics: Topics = Topics(jobPartitions: 2, taskPartitions: 2)) throws {
        self.topics = topics
        let specs = topics.specs.map { spec in
            // Events stay, so that they can be looked at afterwards.
            TopicSpec(
                spec.name,
                partitions: spec.partitions,
                policy: spec.policy == .outgoing ? .kept : spec.policy,
                isJournaled: false
            )
        }
        log = FaultyLog(try EmbeddedLog(topics: specs))
        client = try log.inner.open(LogSubscription(group: "client"))
    }

    static var settings: CoordinatorSettings {
        var settings = CoordinatorSettings { _ in FakeFolder() }
        settings.retry = RetryPolicy(attempts: 5, base: 20, cap: 100, unendedStarts: 3)
        settings.queueLease = 3000
        settings.runLease = 600
        settings.longestLease = 3000
        settings.drain = 500
        settings.takenDrain = 200
        return settings
    }

    func coordinator(
        _ name: String = "c",
        _ change: (inout CoordinatorSettings) -> Void = { _ in }
    ) -> CoordinatorService {
        var settings = Self.settings
        change(&settings)
        return CoordinatorService(
            log: log,
            settings: settings,
            topics: topics,
            name: name,
            restart: RestartPolicy(first: 20, longest: 100)
        ) { [self] notice in
            notices.withLock { $0.coordinator.append(notice) }
            news.raise()
        }
    }

    func worker(
        _ runner: any JobRunner,
        _ name: String = "w",
        slots: Int = 2,
        _ change: (inout WorkerSettings) -> Void = { _ in }
    ) -> WorkerService {
        var settings = WorkerSettings(name: name, slots: slots)
        settings.heartbeat = 200
        settings.resend = 100
        settings.grace = 300
        settings.republish = 20
        change(&settings)
        return WorkerService(
            log: log,
            settings: settings,
            topics: topics,
            runner: runner,
            cancel: CancelToken(),
            meter: ProgressMeter(),
            restart: RestartPolicy(first: 20, longest: 100)
        ) { [self] notice in
            notices.withLock { $0.worker.append(notice) }
            news.raise()
        }
    }

    static func order(_ id: String, converts: Bool = false) -> JobOrder {
        var spec = JobSpec(kind: converts ? .convert : .checksum, sources: [SourceSpec(path: "a")])
        if converts { spec.target = TargetSpec(path: id, format: .qcow2) }
        spec.digest = "sha256"
        return JobOrder(id: id, spec: spec)
    }

    func submit(_ id: String, converts: Bool = false) {
        send(.request(.submit(Submission(Self.order(id, converts: converts)))), Topics.requests, id)
    }

    /// Appends a record as anyone may.
    func send(_ message: Message, _ topic: String, _ job: String) {
        let target = PartitionID(topic, topics.partition(ofJob: job))
        let record = MessageCodec(source: "test").record(
            message,
            to: target,
            wallMilliseconds: LogClock.wallMilliseconds()
        )
        client.produce(record, token: 0)
    }

    /// Appends a record of bytes.
    func send(_ target: PartitionID, key: String, type: String, _ value: [UInt8]?) {
        let headers = value == nil ? [] : [LogHeader("ce_type", type)]
        client.produce(
            NewRecord(target, key: Array(key.utf8), headers: headers, value: value),
            token: 0
        )
    }

    func send(_ record: NewRecord) { client.produce(record, token: 0) }

    /// The keys that a compacted topic of one partition has.
    func keys(_ topic: String) throws -> Set<String> {
        var keys: Set<String> = []
        let partition = PartitionID(topic, 0)
        try log.inner.read(partition, from: 0, to: try log.end(of: partition)) { record in
            let key = String(decoding: record.key ?? [], as: UTF8.self)
            if case .removed = MessageCodec.read(record) {
                keys.remove(key)
            } else {
                keys.insert(key)
            }
        }
        return keys
    }

    /// Waits until something holds that may hold when a service has told something.
    func wait(
        _ what: Comment,
        _ location: SourceLocation = #_sourceLocation,
        _ holds: (Notices) -> Bool
    ) throws {
        let deadline = LogClock.monotonicMilliseconds() + 180_000
        while !holds(notices.withLock { $0 }) {
            try #require(
                LogClock.monotonicMilliseconds() < deadline,
                what,
                sourceLocation: location
            )
            news.wait(milliseconds: 50)
        }
    }

    /// Waits for a job's end.
    func end(of job: String, _ location: SourceLocation = #_sourceLocation) throws -> JobRecord {
        try wait("\(job) ends", location) { $0.ends.contains { $0.order.id == job } }
        return try #require(notices.withLock { $0.ends.first { $0.order.id == job } })
    }

    /// The messages that are in a topic.
    func messages(_ topic: String) throws -> [Message] {
        var messages: [Message] = []
        for number in 0..<(try log.partitionCount(of: topic)) {
            let partition = PartitionID(topic, number)
            let end = try log.end(of: partition)
            try log.inner.read(partition, from: 0, to: end) { record throws(DrayError) in
                if case .message(let message) = MessageCodec.read(record) {
                    messages.append(message)
                }
            }
        }
        return messages
    }

    /// Where the coordinators' group goes on in a topic.
    func committed(_ topic: String) throws -> [Int64] {
        let port = try log.inner.open(LogSubscription(group: "coordinators", shared: [topic]))
        defer { port.close() }
        for case .assigned(let places) in try port.poll(timeoutMilliseconds: 0, credits: 0) {
            return places.sorted { $0.partition.partition < $1.partition.partition }.map(\.offset)
        }
        return []
    }
}

extension FleetRig.Notices {
    /// The ends of jobs.
    var ends: [JobRecord] {
        coordinator.compactMap { if case .ended(let record) = $0 { record } else { nil } }
    }

    /// How often the coordinator did each thing.
    var counts: [String: Int] {
        Dictionary(coordinator.map { ($0.name, 1) }, uniquingKeysWith: +)
    }
}

extension CoordinatorService.Notice {
    /// The case's name.
    var name: String {
        switch self {
        case .planned: "planned"
        case .ended: "ended"
        case .takenOver: "takenOver"
        case .takingAgain: "takingAgain"
        case .unreadable: "unreadable"
        case .failure(.restarting): "restarting"
        case .failure(.broken): "broken"
        }
    }
}
