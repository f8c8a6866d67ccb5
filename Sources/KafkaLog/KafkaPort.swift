// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import TaskLog

/// A role's hold on Kafka: a member of a group, a reader of its own, a producer, as far as each is needed, and one event
/// descriptor that wakes the thread that owns them.
final class KafkaPort: LogPort, @unchecked Sendable {
    // @unchecked: one thread owns the port; `wake` alone comes from others, and touches only `signal`.

    /// How many events one `poll` returns, about.
    static let limit = 1000
    /// How long `poll` waits at most, in milliseconds: the group throws out who does not look.
    static let longestWait: Int64 = 1000

    private let log: KafkaLog
    private let signal = EventSignal()
    private let sender: RecordSender
    private let group: GroupReader?
    private let follower: PartitionFollower?
    private var nextTidying: Int64 = 0

    init(
        log: KafkaLog,
        settings: KafkaSettings,
        subscription: LogSubscription,
        followed: [LogPosition],
        lines: KafkaLines
    ) throws(DrayError) {
        self.log = log
        let sender = try RecordSender(settings, signal, lines)
        self.sender = sender
        do throws(DrayError) {
            follower =
                followed.isEmpty
                ? nil
                : try PartitionFollower(
                    followed,
                    group: subscription.group,
                    settings,
                    signal,
                    lines
                )
        } catch {
            sender.close(limitMilliseconds: 0)
            throw error
        }
        do throws(DrayError) {
            group =
                subscription.shared.isEmpty
                ? nil : try GroupReader(subscription, settings, signal, lines)
        } catch {
            sender.close(limitMilliseconds: 0)
            follower?.close()
            throw error
        }
    }

    func poll(timeoutMilliseconds: Int, credits: Int) throws(DrayError) -> [LogEvent] {
        let events = try take(credits)
        guard events.isEmpty, timeoutMilliseconds > 0 else { return events }
        var wait = min(Int64(timeoutMilliseconds), Self.longestWait)
        if sender.isWaiting { wait = min(wait, 20) }
        if let turn = group?.nextTurn { wait = min(wait, turn) }
        signal.wait(milliseconds: Int(wait))
        return try take(credits)
    }

    func produce(_ record: NewRecord, token: UInt64) { sender.send(record, token: token) }

    func commit(_ positions: [LogPosition]) { group?.commit(positions) }

    func wake() { signal.wake() }

    func close() {
        // The group first: others wait for its partitions.
        group?.close(limitMilliseconds: 2000)
        follower?.close()
        sender.close(limitMilliseconds: 2000)
    }

    private func take(_ credits: Int) throws(DrayError) -> [LogEvent] {
        // Before looking: what comes from now on raises it again.
        signal.lower()
        var events = try sender.take(limit: Self.limit)
        if let group { events += try group.take(credits: credits, limit: Self.limit) }
        if let follower { events += try follower.take(limit: Self.limit) }
        let now = LogClock.monotonicMilliseconds()
        if now >= nextTidying {
            nextTidying = now + 1000
            log.tidy()
        }
        return events
    }
}
