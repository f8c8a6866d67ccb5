// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
internal import Glibc
internal import Synchronization
package import TaskLog

/// The log on Apache Kafka, of any version from 2.5 on, over librdkafka.
///
/// Safe from any thread. What asks the brokers waits for them, and fails with `resource` when they have not answered for
/// the patience given. A place of a group that its topic's retention has overtaken becomes the topic's first record, with a
/// line of level 2 in the log; overtaken while it is read, it ends the port with `resource`, and the next port goes on so.
package final class KafkaLog: TaskLog {
    private let settings: KafkaSettings
    private let patience: Int64
    private let lines: KafkaLines
    private let handle: KafkaHandle
    private let readers: ReaderPool
    private let counts = Mutex<[String: Int]>([:])
    private let warnings: Mutex<BrokerWarnings>
    private let onWaiting: @Sendable (String) -> Void
    /// After how long a person wants to know what is waited for.
    private static let silence: Int64 = 4000

    /// Makes a client; connects when something is asked. The brokers are waited for at most `patienceMilliseconds`; what keeps them
    /// is told to `onWaiting` when that has taken some seconds.
    /// `onLog` gets what librdkafka says, at levels of syslog(3), on the threads that use the log.
    package init(
        _ settings: KafkaSettings,
        patienceMilliseconds: Int = 60_000,
        onLog: (@Sendable (_ level: Int, _ text: String) -> Void)? = nil,
        onWaiting: (@Sendable (_ text: String) -> Void)? = nil
    ) throws(DrayError) {
        self.settings = settings
        patience = Int64(patienceMilliseconds)
        lines = KafkaLines(onLog ?? { _, _ in })
        self.onWaiting = onWaiting ?? { _ in }
        handle = try KafkaHandle(.inquirer, settings)
        readers = ReaderPool(settings)
        warnings = Mutex(BrokerWarnings(handle.queue(isConsumer: false)))
    }

    /// Lets go of the connections. No port may be in use.
    package func close() {
        readers.close()
        warnings.withLock { $0.close() }
        handle.end(limitMilliseconds: 3000)
    }

    package func partitionCount(of topic: String) throws(DrayError) -> Int {
        if let count = counts.withLock({ $0[topic] }) { return count }
        // A topic just made is not known to every broker yet.
        let unknownUntil = LogClock.monotonicMilliseconds() + 1000
        while true {
            let found = try insist("cannot ask about topic \(name(topic))") {
                limit throws(KafkaFailure) in
                let asked = KafkaTopic(topic, of: handle)
                return try handle.metadata(of: asked, milliseconds: limit).topics[name(topic)]
            }
            if let found, found.code == .none, !found.replicas.isEmpty {
                counts.withLock { $0[topic] = found.replicas.count }
                return found.replicas.count
            }
            if let code = found?.code, code.isRefusal {
                throw KafkaFailure(code).error("topic \(name(topic))")
            }
            guard LogClock.monotonicMilliseconds() < unknownUntil else {
                throw DrayError(
                    .invalid,
                    "there is no topic \(name(topic)); `dray topics create` makes it"
                )
            }
            usleep(50_000)
        }
    }

    package func open(_ subscription: LogSubscription) throws(DrayError) -> any LogPort {
        for topic in subscription.shared { _ = try partitionCount(of: topic) }
        var places: [LogPosition] = []
        for topic in subscription.tailed {
            for number in 0..<(try partitionCount(of: topic)) {
                places.append(LogPosition(PartitionID(topic, number), offset: 0))
            }
        }
        for place in subscription.followed { try check(place.partition) }
        return try KafkaPort(
            log: self,
            settings: settings,
            subscription: subscription,
            followed: places + subscription.followed,
            lines: lines
        )
    }

    package func end(of partition: PartitionID) throws(DrayError) -> Int64 {
        try offset(partition, KafkaTime.end)
    }

    package func offset(of partition: PartitionID, atOrAfter time: Int64) throws(DrayError) -> Int64
    {
        let found = try offset(partition, max(0, time))
        return found >= 0 ? found : try end(of: partition)
    }

    package func read(
        _ partition: PartitionID,
        from start: Int64,
        to end: Int64,
        _ body: (LogRecord) throws(DrayError) -> Void
    ) throws(DrayError) {
        try check(partition)
        guard start < end else { return }
        let reader = try readers.take(isShort: end - max(start, 0) <= RecordReader.shortRun)
        defer { readers.give(reader) }
        try reader.read(
            partition,
            from: start,
            to: end,
            patience: patience,
            endOfLog: {
                () throws(DrayError) in try self.end(of: partition)
            },
            body
        )
    }

    /// What the owner of a port does now and then for handles that rest.
    func tidy() {
        warnings.withLock { _ = $0.reason() }
        readers.tidy()
    }

    private func name(_ topic: String) -> String { settings.names.full(topic) }

    private func check(_ partition: PartitionID) throws(DrayError) {
        let count = try partitionCount(of: partition.topic)
        guard (0..<count).contains(partition.partition) else {
            throw DrayError(
                .invalid,
                "topic \(name(partition.topic)) has no partition \(partition.partition)"
            )
        }
    }

    private func offset(_ partition: PartitionID, _ time: Int64) throws(DrayError) -> Int64 {
        try check(partition)
        let what = "cannot ask for a place in \(name(partition.topic))/\(partition.partition)"
        return try insist(what) { limit throws(KafkaFailure) in
            let answer = try handle.offsets([(partition, time)], milliseconds: limit)
            return answer.first?.offset ?? -1
        }
    }

    /// Asks again until there is an answer, a reason why there will be none, or no patience left.
    private func insist<Answer>(
        _ what: String,
        _ ask: (_ milliseconds: Int) throws(KafkaFailure) -> Answer
    ) throws(DrayError) -> Answer {
        let start = LogClock.monotonicMilliseconds()
        var refusedSince: Int64?
        var isSilent = true
        while true {
            let left = start + patience - LogClock.monotonicMilliseconds()
            do throws(KafkaFailure) {
                let answer = try ask(Int(min(max(left, 1), 2000)))
                warnings.withLock { $0.clear() }
                return answer
            } catch {
                let reason = warnings.withLock { $0.reason() }
                guard error.code.mayPass else { throw error.error(what) }
                let now = LogClock.monotonicMilliseconds()
                if let reason, reason.code == .authentication {
                    // It may be a broker on its way down, or up.
                    let since = refusedSince ?? now
                    refusedSince = since
                    if now - since >= 3000 { throw reason.error(what) }
                }
                let place = "\(what) at \(settings.brokers)"
                guard now < start + patience else { throw (reason ?? error).error(place) }
                if isSilent, now - start >= Self.silence {
                    isSilent = false
                    onWaiting("waiting: " + (reason ?? error).error(place).message)
                }
            }
            usleep(100_000)
        }
    }
}

/// Places that Kafka's protocol has instead of times.
enum KafkaTime {
    /// Behind the last record.
    static let end: Int64 = -1
    /// The first record.
    static let start: Int64 = -2
}

/// What the inquiring handle has to complain of. librdkafka says it once, so it is kept until something works.
struct BrokerWarnings {
    private var queue: KafkaQueue?
    private var worst: KafkaFailure?

    init(_ queue: KafkaQueue) { self.queue = queue }

    /// The most telling complaint.
    mutating func reason() -> KafkaFailure? {
        while let event = queue?.next() {
            guard case .failed(let failure, _, _) = event else { continue }
            if worst.map({ Self.rank($0.code) <= Self.rank(failure.code) }) ?? true {
                worst = failure
            }
        }
        return worst
    }

    /// Forgets complaints: something worked.
    mutating func clear() {
        _ = reason()
        worst = nil
    }

    mutating func close() { queue = nil }

    private static func rank(_ code: KafkaCode) -> Int {
        switch code {
        case .authentication: 3
        case .encryption: 2
        case .allBrokersDown: 0
        default: 1
        }
    }
}
