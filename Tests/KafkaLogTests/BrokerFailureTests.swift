// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import KafkaLog
import Synchronization
import TaskLog
import TestSupport
import Testing

@Suite(.enabled(if: KafkaCluster.isAvailable, "\(KafkaCluster.reason)"), .timeLimit(.minutes(15)))
struct BrokerFailureTests {
    @Test("a broker that is killed and comes back costs nothing but time")
    func kill() throws {
        let cluster = try KafkaCluster()
        let fixture = try KafkaFixture([KafkaFixture.topic("a", 2)], on: cluster)
        defer { fixture.log.close() }
        let port = try fixture.log.open(LogSubscription(group: "g", shared: ["a"]))
        defer { port.close() }
        var listener = Listener(port)
        try listener.listen("an assignment") { $0.assigned?.count == 2 }
        var sent = 0
        func produce(_ count: Int) {
            for _ in 0..<count {
                port.produce(KafkaFixture.record("a", sent % 2, "\(sent)"), token: UInt64(sent))
                sent += 1
            }
        }
        produce(500)
        try listener.turn()
        try cluster.kill()
        produce(500)
        for _ in 0..<5 { try listener.turn() }
        port.commit([LogPosition(PartitionID("a", 0), offset: 3, metadata: "while it is away")])
        try cluster.resume()
        produce(500)
        try listener.listen("everything", seconds: 180) { listener in
            listener.delivered.count == 1500
                && Set(listener.records.map(\.text)).count == 1500
        }
        #expect(listener.failures == [])
        // The order holds, but for repetitions.
        for partition in 0..<2 {
            var seen = -1
            for record in listener.records where record.partition == partition {
                let number = Int(record.text) ?? -1
                #expect(number <= seen + 2)
                seen = max(seen, number)
            }
        }
        // The commit that found no broker was made good.
        let other = try fixture.another()
        defer { other.close() }
        try Patience.wait("the commit") {
            try listener.turn()
            var witness = Listener(try other.open(LogSubscription(group: "g", shared: ["a"])))
            defer { witness.port.close() }
            while (witness.assigned ?? []).isEmpty {
                try listener.turn(milliseconds: 20)
                try witness.turn(milliseconds: 20)
            }
            let places = (witness.assigned ?? []) + (listener.assigned ?? [])
            return places.contains {
                $0.partition.partition == 0 && $0.metadata == "while it is away"
            }
        }
    }

    @Test("a port that is opened, assigned or asked while no broker answers goes on when one does")
    func away() throws {
        let cluster = try KafkaCluster()
        let fixture = try KafkaFixture([KafkaFixture.topic("a")], on: cluster)
        defer { fixture.log.close() }
        try fixture.send(["0"], to: "a")
        try cluster.freeze()
        let thawing = try OwnThread {
            WakeUp().wait(milliseconds: 4000)
            do { try cluster.thaw() } catch { Issue.record("\(error)") }
        }
        defer { thawing.join() }
        let port = try fixture.log.open(LogSubscription(group: "g", shared: ["a"]))
        defer { port.close() }
        port.produce(KafkaFixture.record("a", 0, "1"), token: 1)
        var listener = Listener(port)
        #expect(try fixture.log.end(of: PartitionID("a", 0)) >= 1)
        try listener.listen("records") { $0.records.map(\.text) == ["0", "1"] }
        #expect(listener.delivered == [1])
    }

    @Test("who waits for brokers that do not answer is told, once, which they are")
    func nobodyThere() throws {
        let told = Mutex<[String]>([])
        let settings = try KafkaSettings(brokers: "127.0.0.1:1", clientName: "test")
        let log = try KafkaLog(
            settings,
            patienceMilliseconds: 6000,
            onWaiting: { text in
                told.withLock { $0.append(text) }
            }
        )
        defer { log.close() }
        #expect(throws: DrayError.self) { try log.partitionCount(of: "a") }
        let lines = told.withLock { $0 }
        #expect(lines.count == 1)
        #expect(lines.first?.contains("127.0.0.1:1") == true)
    }

    @Test("closing with a dead broker takes seconds, and questions to it end")
    func deadBroker() throws {
        let cluster = try KafkaCluster()
        let fixture = try KafkaFixture(
            [KafkaFixture.topic("a"), KafkaFixture.topic("b")],
            on: cluster,
            patienceMilliseconds: 3000
        )
        try fixture.send(["0"], to: "a")
        let port = try fixture.log.open(
            LogSubscription(group: "g", shared: ["a"], tailed: ["b"])
        )
        var listener = Listener(port)
        try listener.listen("records") { $0.records.count == 1 }
        try cluster.kill()
        port.produce(KafkaFixture.record("a", 0, "1"), token: 1)
        port.commit([LogPosition(PartitionID("a", 0), offset: 1)])
        try listener.turn()
        let asked = #expect(throws: DrayError.self) {
            try fixture.log.end(of: PartitionID("a", 0))
        }
        #expect(asked?.kind == .resource)
        #expect(asked?.message.contains(cluster.brokers) == true)
        let read = #expect(throws: DrayError.self) {
            try fixture.log.read(PartitionID("a", 0), from: 0, to: 1) { _ in }
        }
        #expect(read?.kind == .resource)
        let before = LogClock.monotonicMilliseconds()
        port.close()
        let closed = LogClock.monotonicMilliseconds() - before
        fixture.log.close()
        let ended = LogClock.monotonicMilliseconds() - before
        #expect(closed < 30_000)
        #expect(ended < 40_000)
    }

    @Test("of three brokers any one may die: records, groups and reading go on")
    func threeNodes() throws {
        let cluster = try KafkaCluster(nodes: 3)
        let fixture = try KafkaFixture([KafkaFixture.topic("a", 3)], on: cluster)
        defer { fixture.log.close() }
        let port = try fixture.log.open(LogSubscription(group: "g", shared: ["a"]))
        defer { port.close() }
        var listener = Listener(port)
        try listener.listen("an assignment") { $0.assigned?.count == 3 }
        var sent = 0
        for node in 1...3 {
            func produce() {
                for _ in 0..<100 {
                    port.produce(KafkaFixture.record("a", sent % 3, "\(sent)"), token: UInt64(sent))
                    sent += 1
                }
            }
            produce()
            try listener.turn()
            try cluster.kill(node)
            produce()
            let expected = sent
            try listener.listen("records without node \(node)", seconds: 180) { listener in
                Set(listener.delivered).count == expected
                    && Set(listener.records.map(\.text)).count == expected
            }
            try cluster.resume(node)
        }
        #expect(listener.failures == [])
        let texts = try (0..<3).flatMap { try fixture.texts("a", $0) }
        #expect(Set(texts) == Set((0..<sent).map { "\($0)" }))
        #expect(try KafkaTopics(fixture.settings).check([KafkaFixture.topic("a", 3)]) == [])
    }
}
