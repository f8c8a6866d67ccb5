// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import Synchronization
import TaskLog

/// An embedded log that fails as a broker does that is away for a while.
final class FaultyLog: TaskLog {
    /// What goes wrong next.
    struct Faults {
        /// How many readings of a partition fail.
        var reads = 0
        /// How many openings fail.
        var opens = 0
        /// How many polls of a port that consumes this topic fail.
        var polls: [String: Int] = [:]
        /// How many records for this topic are refused.
        var deliveries: [String: Int] = [:]
        /// How many records for this topic are refused, each by itself: those behind them may come through.
        var losses: [String: Int] = [:]
        /// How many records for this topic are refused for good.
        var tooLarge: [String: Int] = [:]
        /// How often a port that consumes this topic, once it has nothing else to tell, tells that its partitions are someone else's.
        var revokes: [String: Int] = [:]
    }

    let inner: EmbeddedLog
    let faults = Mutex(Faults())
    static let away = DrayError(.resource, "the broker is away")

    init(_ inner: EmbeddedLog) { self.inner = inner }

    func partitionCount(of topic: String) throws(DrayError) -> Int {
        try inner.partitionCount(of: topic)
    }

    func open(_ subscription: LogSubscription) throws(DrayError) -> any LogPort {
        if take(\.opens) { throw Self.away }
        let port = try inner.open(subscription)
        return FaultyPort(log: self, inner: port, topics: subscription.shared)
    }

    func end(of partition: PartitionID) throws(DrayError) -> Int64 { try inner.end(of: partition) }

    func offset(of partition: PartitionID, atOrAfter time: Int64) throws(DrayError) -> Int64 {
        try inner.offset(of: partition, atOrAfter: time)
    }

    func read(
        _ partition: PartitionID,
        from start: Int64,
        to end: Int64,
        _ body: (LogRecord) throws(DrayError) -> Void
    ) throws(DrayError) {
        if take(\.reads) { throw Self.away }
        try inner.read(partition, from: start, to: end, body)
    }

    /// Takes one of the faults that are left.
    func take(_ count: any WritableKeyPath<Faults, Int> & Sendable) -> Bool {
        faults.withLock { faults in
            guard faults[keyPath: count] > 0 else { return false }
            faults[keyPath: count] -= 1
            return true
        }
    }

    func take(_ counts: any WritableKeyPath<Faults, [String: Int]> & Sendable, _ topic: String)
        -> Bool
    {
        faults.withLock { faults in
            guard let count = faults[keyPath: counts][topic], count > 0 else { return false }
            faults[keyPath: counts][topic] = count - 1
            return true
        }
    }
}

/// A port of a ``FaultyLog``.
final class FaultyPort: LogPort {
    private let log: FaultyLog
    private let inner: any LogPort
    private let topics: [String]
    private let refused = Mutex<[LogEvent]>([])
    /// Partitions of which a record was given up: later ones are too, so that none overtakes it.
    private let broken = Mutex<Set<PartitionID>>([])

    init(log: FaultyLog, inner: any LogPort, topics: [String]) {
        self.log = log
        self.inner = inner
        self.topics = topics
    }

    func poll(timeoutMilliseconds: Int, credits: Int) throws(DrayError) -> [LogEvent] {
        for topic in topics where log.take(\.polls, topic) { throw FaultyLog.away }
        let events = refused.withLock { events in
            defer { events = [] }
            return events
        }
        guard events.isEmpty else { return events }
        let news = try inner.poll(timeoutMilliseconds: timeoutMilliseconds, credits: credits)
        guard news.isEmpty else { return news }
        for topic in topics where log.take(\.revokes, topic) {
            let partitions = try (0..<log.partitionCount(of: topic)).map { number in
                PartitionID(topic, number)
            }
            return [.revoked(partitions, isLost: false)]
        }
        return news
    }

    func produce(_ record: NewRecord, token: UInt64) {
        if log.take(\.losses, record.target.topic) { return refuse(token, FaultyLog.away) }
        var failure: DrayError?
        if log.take(\.deliveries, record.target.topic) { failure = FaultyLog.away }
        if log.take(\.tooLarge, record.target.topic) {
            let failure = DrayError(.unsupported, "the record is too large")
            return refuse(token, failure)
        }
        if failure != nil { broken.withLock { _ = $0.insert(record.target) } }
        if failure == nil, broken.withLock({ $0.contains(record.target) }) {
            failure = FaultyLog.away
        }
        guard let failure else { return inner.produce(record, token: token) }
        refuse(token, failure)
    }

    private func refuse(_ token: UInt64, _ failure: DrayError) {
        refused.withLock { $0.append(.delivered(token: token, failure: failure)) }
        inner.wake()
    }

    func commit(_ positions: [LogPosition]) { inner.commit(positions) }

    func wake() { inner.wake() }

    func close() { inner.close() }
}
