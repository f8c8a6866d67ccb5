// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CRdKafka
internal import TaskLog

/// The half of a port that sends.
///
/// One request at a time is on its way to a broker, so that a record that is sent again does not change places with the next one.
/// Meanwhile others gather: batches grow with the load by themselves.
final class RecordSender {
    /// How many records wait here when librdkafka's own queue is full, before more are given up.
    static let largestBacklog = 200_000
    /// How long a topic that the brokers do not know is asked for, in milliseconds.
    static let unknownPatience: Int64 = 3000

    /// A topic that something was sent to.
    private struct Target {
        let topic: KafkaTopic
        var count: Int?
        let since: Int64
    }

    private let handle: KafkaHandle
    private var queue: KafkaQueue?
    private var targets: [String: Target] = [:]
    private var backlog: [(record: NewRecord, token: UInt64)] = []
    private var outcomes: [LogEvent] = []
    private let lines: KafkaLines

    init(_ settings: KafkaSettings, _ signal: EventSignal, _ lines: KafkaLines) throws(DrayError) {
        // Versions before 2.3 end an idempotent producer for good after an answer that got lost.
        let isIdempotent = rd_kafka_version() >= 0x0203_0000
        handle = try KafkaHandle(
            .producer,
            settings,
            [
                ("acks", "all"), ("enable.idempotence", isIdempotent ? "true" : "false"),
                ("max.in.flight.requests.per.connection", "1"),
                ("message.timeout.ms", "120000"), ("linger.ms", "1"),
                ("compression.type", "lz4"), ("message.max.bytes", String(RecordLimits.message)),
                ("queue.buffering.max.messages", "100000"),
                ("queue.buffering.max.kbytes", "65536"),
            ]
        )
        queue = handle.queue(isConsumer: false)
        queue?.raise(signal)
        self.lines = lines
    }

    /// Asks for these topics now, so that the first record to each need not wait for it. Waits a little.
    func prepare(_ topics: [String]) {
        for topic in topics { _ = partitionCount(of: topic) }
    }

    /// Sends a record, as soon as there is room.
    func send(_ record: NewRecord, token: UInt64) {
        guard backlog.isEmpty, hand(over: record, token) else {
            guard backlog.count < Self.largestBacklog else {
                let text = "more than \(Self.largestBacklog) records wait to be sent"
                return giveUp(token, DrayError(.resource, text))
            }
            return backlog.append((record, token))
        }
    }

    /// What became of records, at most about `limit` outcomes.
    func take(limit: Int) throws(DrayError) -> [LogEvent] {
        if !backlog.isEmpty { sendBacklog() }
        while outcomes.count < limit, let event = queue?.next() {
            switch event {
            case .delivered(let deliveries): outcomes += deliveries.map(Self.outcome)
            case .log(let level, let text): lines.add(level, text)
            case .failed(let failure, _, let isFatal):
                if isFatal { throw (handle.fatalError ?? failure).error("cannot send records") }
                lines.add(4, "producer: \(failure.text)")
            default: break
            }
        }
        defer { outcomes = [] }
        return outcomes
    }

    /// Whether something waits that no event will announce.
    var isWaiting: Bool { !backlog.isEmpty || !outcomes.isEmpty }

    /// Lets what was sent arrive, for `limitMilliseconds`; gives up the rest.
    func close(limitMilliseconds: Int) {
        let deadline = LogClock.monotonicMilliseconds() + Int64(limitMilliseconds)
        queue?.unsignal()
        while unsafe rd_kafka_outq_len(handle.raw) > 0, LogClock.monotonicMilliseconds() < deadline
        {
            _ = queue?.next(milliseconds: 50)
        }
        unsafe rd_kafka_purge(handle.raw, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
        while queue?.next() != nil {}
        targets = [:]
        queue = nil
        handle.end(limitMilliseconds: 3000)
    }

    private func sendBacklog() {
        let waiting = backlog
        backlog = []
        for index in waiting.indices {
            guard hand(over: waiting[index].record, waiting[index].token) else {
                backlog = Array(waiting[index...])
                return
            }
        }
    }

    /// Gives a record to librdkafka, or up. False says that it has to wait.
    private func hand(over record: NewRecord, _ token: UInt64) -> Bool {
        guard let count = partitionCount(of: record.target.topic),
            let topic = targets[record.target.topic]?.topic
        else { return isAwaited(record.target.topic, token) }
        guard (0..<count).contains(record.target.partition) else {
            let place = "\(handle.names.full(record.target.topic))/\(record.target.partition)"
            giveUp(token, DrayError(.invalid, "there is no partition \(place)"))
            return true
        }
        do throws(DrayError) {
            guard case .bytes(let headers, let value) = try record.content.encoded() else {
                return true
            }
            let message = OutgoingMessage(
                topic: topic,
                partition: record.target.partition,
                key: record.key,
                headers: headers,
                value: value,
                token: token
            )
            let code = message.produce(on: handle)
            if code == .queueFull { return false }
            if code != .none {
                giveUp(token, KafkaFailure(code).error("cannot send to \(topic.name)"))
            }
        } catch {
            giveUp(token, error)
        }
        return true
    }

    /// Whether a topic that is not known yet may still show up. If not, the record is given up.
    private func isAwaited(_ topic: String, _ token: UInt64) -> Bool {
        let since = targets[topic]?.since ?? 0
        // While no broker answers nobody knows; then it is the record's time-out that counts.
        guard targets[topic]?.count == 0,
            LogClock.monotonicMilliseconds() - since > Self.unknownPatience
        else { return false }
        let name = handle.names.full(topic)
        giveUp(
            token,
            DrayError(.invalid, "there is no topic \(name); `dray topics create` makes it")
        )
        return true
    }

    /// How many partitions a topic has, nil where that is not known yet.
    private func partitionCount(of name: String) -> Int? {
        if let count = targets[name]?.count, count > 0 { return count }
        let known = targets[name]
        let topic = known?.topic ?? KafkaTopic(name, of: handle)
        var target = Target(
            topic: topic,
            count: nil,
            since: known?.since ?? LogClock.monotonicMilliseconds()
        )
        do throws(KafkaFailure) {
            let answer = try handle.metadata(of: topic, milliseconds: 500)
            target.count = answer.topics[handle.names.full(name)]?.replicas.count ?? 0
        } catch {
            lines.add(4, "producer: cannot ask for topic \(name): \(error.text)")
        }
        targets[name] = target
        return target.count.flatMap { $0 > 0 ? $0 : nil }
    }

    private func giveUp(_ token: UInt64, _ failure: DrayError) {
        outcomes.append(.delivered(token: token, failure: failure))
    }

    private static func outcome(_ delivery: (token: UInt64, code: KafkaCode)) -> LogEvent {
        let failure =
            delivery.code == .none
            ? nil : KafkaFailure(delivery.code).error("a record was not delivered")
        return .delivered(token: delivery.token, failure: failure)
    }
}

/// How large records may be, in bytes, so that the largest of the protocol (8 MiB) goes through.
enum RecordLimits {
    /// What a producer takes: value, key and headers.
    static let message = (8 << 20) + (64 << 10)
    /// What a topic takes: a batch of one such record.
    static let batch = (8 << 20) + (128 << 10)
}
