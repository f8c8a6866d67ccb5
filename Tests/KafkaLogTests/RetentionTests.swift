// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import KafkaLog
import Synchronization
import TaskLog
import TestSupport
import Testing

/// On a cluster of its own, whose topics lose records soon.
@Suite(.enabled(if: KafkaCluster.isAvailable, "\(KafkaCluster.reason)"), .timeLimit(.minutes(15)))
struct RetentionTests {
    private static let settings = ["log.retention.check.interval.ms=500"]
    /// Of the segments of 1 MiB (Kafka's least) only the last one stays.
    private static let fleeting = [
        (name: "segment.bytes", value: "1048576"), (name: "retention.bytes", value: "1"),
        (name: "file.delete.delay.ms", value: "0"),
    ]
    private static let partition = PartitionID("a", 0)

    /// Sends numbered records until the first ones are gone. Returns how many were sent, and the first that is there.
    private static func overflow(_ fixture: KafkaFixture) throws -> (count: Int, first: Int64) {
        var count = 0
        var first: Int64 = 0
        try Patience.wait("retention", seconds: 180) {
            let padding = String(repeating: "x", count: 4000)
            try fixture.send((count..<count + 200).map { "\($0) \(padding)" }, to: "a")
            count += 200
            WakeUp().wait(milliseconds: 500)
            first = -1
            try fixture.log.read(Self.partition, from: 0, to: Int64(count)) { record in
                if first < 0 { first = record.offset }
            }
            return first > 150
        }
        return (count, first)
    }

    @Test("what retention has removed is left out of reading, and told to groups that were there")
    func removed() throws {
        let cluster = try KafkaCluster(settings: Self.settings)
        let fixture = try KafkaFixture(
            [KafkaFixture.topic("a")],
            on: cluster,
            overrides: Self.fleeting
        )
        defer { fixture.log.close() }
        let subscription = LogSubscription(group: "g", shared: ["a"])
        let metered = LogSubscription(group: "h", shared: ["a"], metered: ["a": 1])
        for subscription in [subscription, metered] {
            var listener = Listener(try fixture.log.open(subscription))
            try listener.listen("its place") { $0.assigned != nil }
            listener.port.commit([LogPosition(Self.partition, offset: 0, metadata: "start")])
            listener.port.close()
        }
        let (count, first) = try Self.overflow(fixture)

        var read: [Int64] = []
        try fixture.log.read(Self.partition, from: 10, to: Int64(count)) { read.append($0.offset) }
        #expect(read.first == first)
        #expect(read.last == Int64(count) - 1)

        let lines = Mutex<[(Int, String)]>([])
        let log = try KafkaLog(fixture.settings) { level, text in
            lines.withLock { $0.append((level, text)) }
        }
        defer { log.close() }
        for subscription in [subscription, metered] {
            var listener = Listener(try log.open(subscription))
            try listener.listen("the rest") { $0.records.last?.offset == Int64(count) - 1 }
            #expect(listener.assigned == [LogPosition(Self.partition, offset: first)])
            #expect(listener.records.first?.offset == first)
            listener.port.close()
        }
        #expect(
            lines.withLock { $0.contains { $0.0 == 2 && $0.1.contains("records there are gone") } }
        )

        // A new group begins at the first record there is, and nobody is told.
        var fresh = Listener(try fixture.log.open(LogSubscription(group: "fresh", shared: ["a"])))
        try fresh.listen("its place") { $0.assigned != nil }
        #expect(fresh.assigned == [LogPosition(Self.partition, offset: first)])
        fresh.port.close()
    }

    @Test("compaction leaves gaps, and reading and tailing pass over them")
    func compacted() throws {
        let cluster = try KafkaCluster(settings: Self.settings)
        let fixture = try KafkaFixture(
            [KafkaFixture.topic("a", 1, .compacted)],
            on: cluster,
            overrides: [
                (name: "segment.ms", value: "200"),
                (name: "min.cleanable.dirty.ratio", value: "0.01"),
                (name: "delete.retention.ms", value: "100"),
            ]
        )
        defer { fixture.log.close() }
        var count: Int64 = 0
        var offsets: [Int64] = []
        try Patience.wait("compaction", seconds: 240) {
            try fixture.send((0..<30).map { "key \($0 % 10)" }, to: "a")
            count += 30
            WakeUp().wait(milliseconds: 500)
            offsets = []
            try fixture.log.read(Self.partition, from: 0, to: count) { offsets.append($0.offset) }
            return offsets.count < Int(count) && (offsets.first ?? 0) >= 10
        }
        #expect(offsets == offsets.sorted())
        let firstThere = offsets.first ?? 0
        // A run that holds nothing any more.
        var texts: [String] = []
        try fixture.log.read(Self.partition, from: 0, to: firstThere) { texts.append($0.text) }
        #expect(texts == [])
        // A run that begins in a gap.
        offsets = []
        try fixture.log.read(Self.partition, from: 1, to: count) { offsets.append($0.offset) }
        #expect((offsets.first ?? 0) >= firstThere)
        #expect(offsets.last == count - 1)
        var tail = Listener(
            try fixture.log.open(
                LogSubscription(
                    group: "g",
                    tailed: ["a"]
                )
            )
        )
        defer { tail.port.close() }
        try tail.listen("the tail") { $0.records.last?.offset == count - 1 }
        #expect(Set(tail.records.map(\.text)) == Set((0..<10).map { "key \($0)" }))
    }
}
