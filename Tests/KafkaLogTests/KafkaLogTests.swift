// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import KafkaLog
import Synchronization
import TaskLog
import TestSupport
import Testing

@Suite(.enabled(if: KafkaCluster.isAvailable, "\(KafkaCluster.reason)"), .timeLimit(.minutes(15)))
struct KafkaLogTests {
    @Test("records arrive in the order in which one port sent them, with key, headers and value")
    func order() throws {
        let fixture = try KafkaFixture([KafkaFixture.topic("a", 3)])
        defer { fixture.log.close() }
        let texts = (0..<2000).map { "record \($0)" }
        let port = try fixture.log.open(LogSubscription(group: "g", shared: ["a"]))
        defer { port.close() }
        var listener = Listener(port)
        for (index, text) in texts.enumerated() {
            port.produce(KafkaFixture.record("a", index % 3, text), token: UInt64(index))
        }
        try listener.listen("records") { $0.records.count == 2000 && $0.delivered.count == 2000 }
        #expect(listener.failures == [])
        #expect(Set(listener.delivered) == Set(0..<2000))
        for partition in 0..<3 {
            let received = listener.records.filter { $0.partition == partition }
            #expect(
                received.map(\.text)
                    == texts.indices.filter { $0 % 3 == partition }.map { texts[$0] }
            )
            #expect(received.map(\.offset) == (0..<Int64(received.count)).map { $0 })
            #expect(received.allSatisfy { $0.topic == "a" && $0.key == $0.value })
            #expect(received.allSatisfy { $0.headers == [LogHeader("name", $0.text)] })
            #expect(
                received.allSatisfy { abs($0.timestamp - LogClock.wallMilliseconds()) < 60_000 }
            )
        }
    }

    @Test("an empty value is not a tombstone, and a tombstone is no value")
    func emptiness() throws {
        let fixture = try KafkaFixture([KafkaFixture.topic("a")])
        defer { fixture.log.close() }
        let port = try fixture.log.open(LogSubscription(group: "g", tailed: ["a"]))
        defer { port.close() }
        let target = PartitionID("a", 0)
        let headers = [LogHeader("empty", ""), LogHeader("twice", "1"), LogHeader("twice", "2")]
        port.produce(NewRecord(target, key: nil, headers: [], value: []), token: 0)
        port.produce(NewRecord(target, key: [], headers: headers, value: nil), token: 1)
        var listener = Listener(port)
        try listener.listen("records") { $0.records.count == 2 }
        #expect(listener.records.map(\.value) == [[], nil])
        #expect(listener.records.map(\.key) == [nil, []])
        #expect(listener.records.map(\.headers) == [[], headers])
    }

    @Test("what a member committed is where the next one begins, with the metadata")
    func handover() throws {
        let fixture = try KafkaFixture([KafkaFixture.topic("a", 2)])
        defer { fixture.log.close() }
        try fixture.send((0..<10).map { "\($0)" }, to: "a", 0)
        let subscription = LogSubscription(group: "g", shared: ["a"])
        var first = Listener(try fixture.log.open(subscription))
        try first.listen("records") { $0.records.count == 10 }
        #expect(
            Set(first.assigned ?? []) == [
                LogPosition(PartitionID("a", 0), offset: 0),
                LogPosition(PartitionID("a", 1), offset: 0),
            ]
        )
        let place = LogPosition(PartitionID("a", 0), offset: 7, metadata: "done: 9, \u{e9}")
        first.port.commit([LogPosition(PartitionID("a", 0), offset: 3)])
        first.port.commit([place])
        first.port.close()
        var second = Listener(try fixture.log.open(subscription))
        defer { second.port.close() }
        try second.listen("records") { $0.records.count == 3 }
        #expect(second.assigned?.contains(place) == true)
        #expect(second.records.map(\.text) == ["7", "8", "9"])
    }

    @Test("a tailed topic is read whole, and a followed partition from its place on")
    func tailing() throws {
        let fixture = try KafkaFixture([
            KafkaFixture.topic("control", 2, .compacted), KafkaFixture.topic("events", 2),
        ])
        defer { fixture.log.close() }
        try fixture.send(["a", "b"], to: "control", 0)
        try fixture.send(["c"], to: "control", 1)
        try fixture.send(["0", "1", "2", "3"], to: "events", 1)
        try fixture.send(["not this"], to: "events", 0)
        let port = try fixture.log.open(
            LogSubscription(
                group: "g",
                tailed: ["control"],
                followed: [LogPosition(PartitionID("events", 1), offset: 2)]
            )
        )
        defer { port.close() }
        var listener = Listener(port)
        try listener.listen("records") { $0.records.count == 5 }
        try fixture.send(["4"], to: "events", 1)
        try listener.listen("the new record") { $0.records.count == 6 }
        let control = listener.records.filter { $0.topic == "control" }
        #expect(Set(control.map(\.text)) == ["a", "b", "c"])
        let events = listener.records.filter { $0.topic == "events" }
        #expect(events.map(\.text) == ["2", "3", "4"])
        #expect(listener.assigned == nil)
    }

    @Test("the log knows its partitions, ends and times")
    func places() throws {
        let fixture = try KafkaFixture([KafkaFixture.topic("a", 2)])
        defer { fixture.log.close() }
        let partition = PartitionID("a", 1)
        #expect(try fixture.log.partitionCount(of: "a") == 2)
        #expect(try fixture.log.end(of: partition) == 0)
        try fixture.send(["0", "1", "2"], to: "a", 1)
        #expect(try fixture.log.end(of: partition) == 3)
        #expect(try fixture.log.end(of: PartitionID("a", 0)) == 0)
        var times: [Int64] = []
        try fixture.log.read(partition, from: 0, to: 3) { times.append($0.timestamp) }
        #expect(times.count == 3)
        #expect(try fixture.log.offset(of: partition, atOrAfter: 0) == 0)
        #expect(try fixture.log.offset(of: partition, atOrAfter: times[0]) == 0)
        #expect(try fixture.log.offset(of: partition, atOrAfter: times[2] + 1) == 3)
    }

    @Test("what is not there is refused with a hint")
    func missing() throws {
        let fixture = try KafkaFixture([KafkaFixture.topic("a", 1)])
        defer { fixture.log.close() }
        let count = #expect(throws: DrayError.self) { try fixture.log.partitionCount(of: "b") }
        #expect(count?.kind == .invalid)
        #expect(count?.message.contains("dray topics create") == true)
        let opened = #expect(throws: DrayError.self) {
            try fixture.log.open(LogSubscription(group: "g", shared: ["b"]))
        }
        #expect(opened?.kind == .invalid)
        let end = #expect(throws: DrayError.self) { try fixture.log.end(of: PartitionID("a", 1)) }
        #expect(end?.kind == .invalid)
        let port = try fixture.log.open(LogSubscription(group: "g"))
        defer { port.close() }
        port.produce(KafkaFixture.record("a", 1, "x"), token: 1)
        port.produce(KafkaFixture.record("b", 0, "x"), token: 2)
        port.produce(KafkaFixture.record("a", 0, "x"), token: 3)
        var listener = Listener(port)
        try listener.listen("outcomes") { $0.failures.count == 2 && $0.delivered == [3] }
        #expect(listener.failures.allSatisfy { $0.kind == .invalid })
    }

    @Test("reading takes a run of records, and ends where it should")
    func reading() throws {
        let fixture = try KafkaFixture([KafkaFixture.topic("a", 2)])
        defer { fixture.log.close() }
        let partition = PartitionID("a", 0)
        try fixture.send((0..<100).map { "\($0)" }, to: "a")
        for (from, to) in [(0, 100), (0, 1), (99, 100), (40, 60), (50, 50), (90, 200), (100, 100)] {
            var texts: [String] = []
            try fixture.log.read(partition, from: Int64(from), to: Int64(to)) {
                texts.append($0.text)
            }
            #expect(texts == (from..<max(from, min(to, 100))).map { "\($0)" })
        }
        #expect(try fixture.texts("a", 1) == [])
        #expect(throws: DrayError(.corrupt, "enough")) {
            try fixture.log.read(partition, from: 0, to: 100) { record throws(DrayError) in
                if record.offset == 5 { throw DrayError(.corrupt, "enough") }
            }
        }
    }

    /// A wait that nothing ends lasts for a second, whatever it was asked for: so many of them for a minute.
    @Test("waking ends a wait, also one that has not begun", arguments: [true, false])
    func waking(hasBegun: Bool) throws {
        let fixture = try KafkaFixture([KafkaFixture.topic("a")])
        defer { fixture.log.close() }
        let port = try fixture.log.open(LogSubscription(group: "g"))
        defer { port.close() }
        _ = try port.poll(timeoutMilliseconds: 500, credits: 0)
        let begins = WakeUp()
        let isOver = Atomic(false)
        let waker = try OwnThread {
            while hasBegun, !isOver.load(ordering: .relaxed) {
                begins.wait(milliseconds: 60_000)
                WakeUp().wait(milliseconds: 10)
                port.wake()
            }
        }
        defer {
            isOver.store(true, ordering: .relaxed)
            begins.raise()
            waker.join()
        }
        let before = LogClock.monotonicMilliseconds()
        for _ in 0..<60 {
            if hasBegun { begins.raise() } else { port.wake() }
            _ = try port.poll(timeoutMilliseconds: 60_000, credits: 0)
        }
        #expect(LogClock.monotonicMilliseconds() - before < 20_000)
    }
}
