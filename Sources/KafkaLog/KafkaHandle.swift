// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CRdKafka
internal import TaskLog

/// A client of librdkafka: a producer or a consumer, with its threads and connections.
///
/// librdkafka does its own locking; only the end must come when nobody uses the handle any more: its owner calls ``end(limitMilliseconds:)``.
@safe
final class KafkaHandle: @unchecked Sendable {
    // @unchecked: `raw` is constant, and its functions may be called from any thread; the owner alone ends it.
    let raw: OpaquePointer
    let names: KafkaNames

    /// What a handle is for.
    enum Role {
        /// Sends records.
        case producer
        /// Reads as a member of a group, or in its name; `isSilent` where nobody looks at its events while it rests.
        case consumer(group: String, isSilent: Bool)
        /// Asks questions.
        case inquirer
    }

    /// Starts a client. `properties` are what its role needs; what the user set counts more.
    init(
        _ role: Role,
        _ settings: KafkaSettings,
        _ properties: [(String, String)] = []
    ) throws(DrayError) {
        names = settings.names
        let configuration = KafkaConfiguration()
        var type = RD_KAFKA_PRODUCER
        var all = Self.common + properties
        all.append(("bootstrap.servers", settings.brokers))
        all.append(("client.id", settings.clientName))
        if case .consumer(let group, _) = role {
            type = RD_KAFKA_CONSUMER
            all.append(("group.id", settings.names.full(group)))
            all += Self.consuming
        }
        for (name, value) in all { try configuration.set(name, value) }
        for property in settings.properties { try configuration.set(property) }
        let isSilent = role.isSilent
        configuration.enable(events: isSilent ? Self.fewEvents : Self.allEvents)
        if isSilent { configuration.silence() } else { try configuration.set("log.queue", "true") }
        unsafe raw = try configuration.makeHandle(type)
        if type == RD_KAFKA_CONSUMER { unsafe rd_kafka_poll_set_consumer(raw) }
        if !isSilent { unsafe rd_kafka_set_log_queue(raw, nil) }
    }

    /// The queue of everything that has no queue of its own: a consumer's, or a producer's main one.
    func queue(isConsumer: Bool) -> KafkaQueue {
        let queue =
            unsafe isConsumer
            ? rd_kafka_queue_get_consumer(raw) : rd_kafka_queue_get_main(raw)
        guard let queue = unsafe queue else { preconditionFailure("a handle has its queue") }
        return unsafe KafkaQueue(queue, names)
    }

    /// Why the handle can do no more, nil where it can.
    var fatalError: KafkaFailure? {
        var text = [CChar](repeating: 0, count: 512)
        let code = unsafe KafkaCode(rd_kafka_fatal_error(raw, &text, text.count))
        return code == .none ? nil : KafkaFailure(code, KafkaConfiguration.text(text))
    }

    /// Ends the client: all queues, events, lists and topics of it must be gone. Returns after `limitMilliseconds` at the
    /// latest; what is not done then, goes on behind.
    func end(limitMilliseconds: Int) {
        let isDone = WakeUp()
        // Without a thread to do it, the process goes on with a client that nobody uses.
        let ended = try? OwnThread { [self] in
            // Without the consumer's closing, which was done, or did not succeed in its time.
            unsafe rd_kafka_destroy_flags(raw, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE)
            isDone.raise()
        }
        if let ended, isDone.wait(milliseconds: limitMilliseconds) { ended.join() }
    }

    private static let common = [
        ("socket.keepalive.enable", "true"), ("socket.nagle.disable", "true"),
        ("socket.timeout.ms", "10000"), ("reconnect.backoff.max.ms", "1000"),
        ("allow.auto.create.topics", "false"),
    ]

    private static let consuming = [
        ("enable.auto.commit", "false"), ("enable.auto.offset.store", "false"),
        ("fetch.error.backoff.ms", "100"), ("check.crcs", "true"),
    ]

    private static let fewEvents =
        RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_FETCH | RD_KAFKA_EVENT_ERROR
        | RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_OFFSET_COMMIT

    private static let allEvents = fewEvents | RD_KAFKA_EVENT_LOG
}

extension KafkaHandle.Role {
    /// Whether nobody looks at the handle's events while it rests.
    var isSilent: Bool {
        switch self {
        case .producer: false
        case .consumer(_, let isSilent): isSilent
        case .inquirer: true
        }
    }
}
