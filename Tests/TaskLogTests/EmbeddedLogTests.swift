// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import TaskLog
import Testing

@Suite(.timeLimit(.minutes(15)))
struct EmbeddedLogTests {
    static let topics = [
        TopicSpec("work", partitions: 2, policy: .consumed, isJournaled: true),
        TopicSpec("state", partitions: 1, policy: .compacted, isJournaled: true),
        TopicSpec("news", partitions: 1, policy: .outgoing, isJournaled: false),
    ]

    static func record(_ topic: String, _ key: String, _ value: String, partition: Int = 0)
        -> NewRecord
    {
        NewRecord(
            PartitionID(topic, partition),
            key: Array(key.utf8),
            headers: [LogHeader("type", "text")],
            value: Array(value.utf8)
        )
    }

    /// The values of the records that a log has of a partition.
    static func values(_ log: EmbeddedLog, _ topic: String, from: Int64 = 0) throws -> [String] {
        var values: [String] = []
        let partition = PartitionID(topic, 0)
        try log.read(partition, from: from, to: try log.end(of: partition)) { record in
            values.append(String(decoding: record.value ?? [], as: UTF8.self))
        }
        return values
    }

    /// Polls until `count` records have come, and returns their values.
    static func poll(_ port: any LogPort, count: Int, credits: Int = .max) throws -> [String] {
        var values: [String] = []
        while values.count < count {
            for case .record(let record) in try port.poll(
                timeoutMilliseconds: 100,
                credits: credits
            ) {
                values.append(String(decoding: record.value ?? [], as: UTF8.self))
            }
        }
        return values
    }

    @Test("records come in order, each once, with a delivery report each")
    func order() throws {
        let log = try EmbeddedLog(topics: Self.topics)
        let port = try log.open(LogSubscription(group: "g", shared: ["work"]))
        for number in 0..<1000 {
            port.produce(Self.record("work", "k", "\(number)"), token: UInt64(number))
        }
        var values: [String] = []
        var tokens: [UInt64] = []
        while values.count < 1000 || tokens.count < 1000 {
            for event in try port.poll(timeoutMilliseconds: 100, credits: .max) {
                switch event {
                case .record(let record):
                    values.append(String(decoding: record.value ?? [], as: UTF8.self))
                case .delivered(let token, let failure):
                    #expect(failure == nil)
                    tokens.append(token)
                default: break
                }
            }
        }
        #expect(values == (0..<1000).map(String.init))
        #expect(tokens == (0..<1000).map(UInt64.init))
    }

    @Test("metered topics give no more than the credits")
    func credits() throws {
        let log = try EmbeddedLog(topics: Self.topics)
        let port = try log.open(
            LogSubscription(group: "g", shared: ["work"], metered: ["work": 1], tailed: ["state"])
        )
        for number in 0..<10 {
            port.produce(Self.record("work", "k", "\(number)", partition: number % 2), token: 0)
            port.produce(Self.record("state", "k\(number)", "s"), token: 0)
        }
        var counts: [String: Int] = [:]
        for case .record(let record) in try port.poll(timeoutMilliseconds: 0, credits: 3) {
            counts[record.topic, default: 0] += 1
        }
        #expect(counts == ["work": 3, "state": 10])
    }

    @Test(
        "a followed partition is read from its place on, and a time names the first record not before it"
    )
    func follows() throws {
        let log = try EmbeddedLog(topics: Self.topics)
        let sender = try log.open(LogSubscription(group: "s"))
        for number in 0..<5 {
            sender.produce(Self.record("state", "k\(number)", "\(number)"), token: 0)
        }
        let state = PartitionID("state", 0)
        let reader = try log.open(
            LogSubscription(group: "r", followed: [LogPosition(state, offset: 3)])
        )
        #expect(try Self.poll(reader, count: 2) == ["3", "4"])
        #expect(try log.offset(of: state, atOrAfter: 0) == 0)
        let later = LogClock.wallMilliseconds() + 1000
        #expect(try log.offset(of: state, atOrAfter: later) == 5)
        let wrong = LogSubscription(
            group: "r",
            followed: [LogPosition(PartitionID("state", 9), offset: 0)]
        )
        #expect(throws: DrayError.self) { try log.open(wrong) }
    }

    @Test("a poll that waits is woken by a record and by wake()")
    func wakes() throws {
        let log = try EmbeddedLog(topics: Self.topics)
        let waiting = try log.open(LogSubscription(group: "g", shared: ["work"]))
        _ = try waiting.poll(timeoutMilliseconds: 0, credits: .max)
        let sender = try log.open(LogSubscription(group: "s"))
        let thread = try OwnThread { sender.produce(Self.record("work", "k", "hello"), token: 0) }
        #expect(try Self.poll(waiting, count: 1) == ["hello"])
        thread.join()
        waiting.wake()
        let start = LogClock.monotonicMilliseconds()
        _ = try waiting.poll(timeoutMilliseconds: 30_000, credits: .max)
        #expect(LogClock.monotonicMilliseconds() - start < 20_000)
    }

    @Test("what is committed, obsolete or wanted by no one is dropped")
    func trims() throws {
        let log = try EmbeddedLog(topics: Self.topics)
        let port = try log.open(LogSubscription(group: "g", shared: ["work"]))
        for number in 0..<10 {
            port.produce(Self.record("work", "k", "\(number)"), token: 0)
            port.produce(Self.record("state", "k\(number % 2)", "\(number)"), token: 0)
            port.produce(Self.record("news", "k", "\(number)"), token: 0)
        }
        port.commit([LogPosition(PartitionID("work", 0), offset: 7)])
        #expect(try Self.values(log, "work") == ["7", "8", "9"])
        #expect(try Self.values(log, "state") == ["8", "9"])
        #expect(try Self.values(log, "news") == [])
        #expect(try log.end(of: PartitionID("news", 0)) == 10)
    }

    @Test("an unknown topic is an error, not a trap")
    func unknownTopic() throws {
        let log = try EmbeddedLog(topics: Self.topics)
        #expect(throws: DrayError.self) { try log.open(LogSubscription(group: "g", shared: ["x"])) }
        let port = try log.open(LogSubscription(group: "g"))
        port.produce(Self.record("x", "k", "v"), token: 5)
        let events = try port.poll(timeoutMilliseconds: 100, credits: .max)
        let failed = events.contains { event in
            if case .delivered(5, let failure) = event { failure != nil } else { false }
        }
        #expect(failed)
    }
}
