// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CRdKafka
internal import TaskLog

/// The half of a port that is a member of a group.
///
/// Partitions of metered topics have queues of their own, which are left alone while there are no credits: neither are
/// records held here nor partitions paused, and the consumer's own queue is looked at whatever happens, which is what keeps the member in
/// its group.
final class GroupReader {
    let subscription: LogSubscription
    let handle: KafkaHandle
    let lines: KafkaLines
    let signal: EventSignal
    var queue: KafkaQueue?
    /// What is ours, from the assignment that was reported.
    var owned: Set<PartitionID> = []
    var metered: MeteredQueues
    var commits = CommitLedger()
    /// Partitions that the group has given us, until their places are known.
    var arriving: [PartitionID]?
    /// When to ask for the places again, in monotonic milliseconds.
    var arrivalRetry: Int64 = 0
    /// Partitions were taken from us and the caller was told: answered with the next turn, so that what it commits goes out before.
    var isLeaving = false
    private var topics: [KafkaTopic]

    init(
        _ subscription: LogSubscription,
        _ settings: KafkaSettings,
        _ signal: EventSignal,
        _ lines: KafkaLines
    ) throws(DrayError) {
        self.subscription = subscription
        self.signal = signal
        self.lines = lines
        let handle = try KafkaHandle(
            .consumer(group: subscription.group, isSilent: false),
            settings,
            Self.properties(subscription, settings)
        )
        self.handle = handle
        metered = MeteredQueues(shares: subscription.metered)
        // A place that retention has overtaken: of metered topics nothing is lost, as its sender asks again.
        topics = subscription.shared.map { name in
            let reset = subscription.metered[name] == nil ? "error" : "earliest"
            return KafkaTopic(name, of: handle, [("auto.offset.reset", reset)])
        }
        queue = handle.queue(isConsumer: true)
        queue?.raise(signal)
        do throws(KafkaFailure) {
            try handle.subscribe(subscription.shared)
        } catch {
            close(limitMilliseconds: 0)
            throw error.error("cannot join the group \(subscription.group)")
        }
    }

    private static func properties(
        _ subscription: LogSubscription,
        _ settings: KafkaSettings
    ) -> [(String, String)] {
        let session = settings.value(of: "session.timeout.ms").flatMap { Int($0) } ?? 12_000
        return [
            (
                "partition.assignment.strategy",
                subscription.isCopartitioned ? "range" : "roundrobin"
            ),
            ("session.timeout.ms", "12000"),
            ("heartbeat.interval.ms", String(max(1, min(3000, session / 4)))),
            ("max.poll.interval.ms", "300000"), ("fetch.wait.max.ms", "100"),
            // Each metered partition has a queue of its own, with this limit.
            (
                "queued.max.messages.kbytes",
                subscription.metered.isEmpty ? "16384" : "2048"
            ),
        ]
    }

    /// What has come, at most about `limit` events and not more than `credits` records of metered topics.
    func take(credits: Int, limit: Int) throws(DrayError) -> [LogEvent] {
        if isLeaving { try leave() }
        var events: [LogEvent] = []
        while !isLeaving, events.count < limit, let event = queue?.next() {
            try take(event, &events)
        }
        guard !isLeaving else { return events }
        if arriving != nil { try arrive(&events) }
        try takeMetered(credits: credits, limit: limit, &events)
        sendCommits()
        return events
    }

    /// Whether the next turn has something to do that no event will announce; nil if not, else in how many milliseconds.
    var nextTurn: Int64? {
        if isLeaving { return 0 }
        let now = LogClock.monotonicMilliseconds()
        if arriving != nil { return max(0, arrivalRetry - now) }
        return commits.nextTurn.map { max(0, $0 - now) }
    }

    private func takeMetered(
        credits: Int,
        limit: Int,
        _ events: inout [LogEvent]
    ) throws(DrayError) {
        var left = min(credits, max(0, limit - events.count))
        while left > 0, let event = metered.next() {
            if case .record = event { left -= 1 }
            try take(event, &events)
        }
    }

    private func take(_ event: KafkaEvent, _ events: inout [LogEvent]) throws(DrayError) {
        switch event {
        case .record(let record):
            if owned.contains(record.source) { events.append(.record(record)) }
        case .assigned(let partitions):
            arriving = partitions
            arrivalRetry = 0
        case .revoked(let partitions): try revoke(partitions, &events)
        case .committed(let code, let places): take(code, places)
        case .failed(let failure, let partition, let isFatal):
            try complain(failure, partition, isFatal: isFatal)
        case .log(let level, let text): lines.add(level, text)
        case .delivered, .end, .other: break
        }
    }

    private func complain(
        _ failure: KafkaFailure,
        _ partition: PartitionID?,
        isFatal: Bool
    ) throws(DrayError) {
        let place = partition.map { "\(handle.names.full($0.topic))/\($0.partition): " } ?? ""
        if isFatal || failure.code.isRefusal {
            throw (handle.fatalError ?? failure).error("\(place)cannot go on in the group")
        }
        if failure.code == .outOfRange, let partition, subscription.metered[partition.topic] == nil
        {
            throw DrayError(
                .resource,
                "\(place)records were removed before they were read: the topic's retention is too short"
            )
        }
        lines.add(4, "group \(subscription.group): \(place)\(failure.text)")
    }

    /// Leaves the group, within about `limitMilliseconds`, after the last commits.
    func close(limitMilliseconds: Int) {
        let deadline = LogClock.monotonicMilliseconds() + Int64(limitMilliseconds)
        queue?.unsignal()
        sendCommits(isLast: true)
        while commits.isUnderWay, LogClock.monotonicMilliseconds() < deadline {
            serveLast(milliseconds: 20)
            sendCommits()
        }
        metered.clear()
        if limitMilliseconds > 0, let queue, startClosing(queue) {
            while unsafe rd_kafka_consumer_closed(handle.raw) == 0,
                LogClock.monotonicMilliseconds() < deadline + 1000
            { serveLast(milliseconds: 20) }
        }
        while queue?.next() != nil {}
        topics = []
        queue = nil
        handle.end(limitMilliseconds: 3000)
    }

    private func startClosing(_ queue: KafkaQueue) -> Bool {
        guard let failure = unsafe rd_kafka_consumer_close_queue(handle.raw, queue.raw) else {
            return true
        }
        unsafe rd_kafka_error_destroy(failure)
        return false
    }

    private func serveLast(milliseconds: Int) {
        switch queue?.next(milliseconds: milliseconds) {
        case .committed(let code, let places): take(code, places)
        case .assigned, .revoked:
            metered.clear()
            do throws(KafkaFailure) {
                try handle.unassign()
            } catch {
                lines.add(4, "group \(subscription.group): \(error.text)")
            }
        default: break
        }
    }
}
