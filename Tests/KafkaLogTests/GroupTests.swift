// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import KafkaLog
import TaskLog
import TestSupport
import Testing

@Suite(.enabled(if: KafkaCluster.isAvailable, "\(KafkaCluster.reason)"), .timeLimit(.minutes(15)))
struct GroupTests {
    private static let quick = [
        (name: "session.timeout.ms", value: "6000"), (name: "heartbeat.interval.ms", value: "100"),
    ]

    @Test("members share partitions, and what one committed while it gave them up, the other has")
    func rebalance() throws {
        let fixture = try KafkaFixture([KafkaFixture.topic("a", 4)], properties: Self.quick)
        defer { fixture.log.close() }
        for partition in 0..<4 { try fixture.send(["0", "1", "2"], to: "a", partition) }
        let subscription = LogSubscription(group: "g", shared: ["a"])
        var first = Listener(try fixture.log.open(subscription))
        defer { first.port.close() }
        try first.listen("all records") { $0.records.count == 12 }
        var second = Listener(try fixture.log.open(subscription))
        defer { second.port.close() }
        // The first commits only when it is told that its partitions go.
        while first.revocations.isEmpty {
            try first.turn(milliseconds: 20)
            try second.turn(milliseconds: 20)
        }
        #expect(first.revocations.map(\.isLost) == [false])
        #expect(Set(first.revocations[0].partitions.map(\.partition)) == [0, 1, 2, 3])
        first.port.commit(
            (0..<4).map { LogPosition(PartitionID("a", $0), offset: 2, metadata: "of \($0)") }
        )
        try Patience.wait("both assignments") {
            try first.turn(milliseconds: 20)
            try second.turn(milliseconds: 20)
            return first.assigned?.count == 2 && second.assigned?.count == 2
        }
        let places = (first.assigned ?? []) + (second.assigned ?? [])
        #expect(Set(places.map(\.partition.partition)) == [0, 1, 2, 3])
        #expect(
            places.allSatisfy { $0.offset == 2 && $0.metadata == "of \($0.partition.partition)" }
        )
        try second.listen("the rest") { $0.records.count == 2 }
        #expect(second.records.map(\.text) == ["2", "2"])
    }

    @Test("a member that leaves is followed at once, and one that gets nothing stays quiet")
    func leaving() throws {
        // A session that outlasts any wait of this test: who takes over has not waited for its end.
        let session = (name: "session.timeout.ms", value: "300000")
        let fixture = try KafkaFixture(
            [KafkaFixture.topic("a")],
            properties: Self.quick.filter { $0.name != session.name } + [session]
        )
        defer { fixture.log.close() }
        let subscription = LogSubscription(group: "g", shared: ["a"])
        var first = Listener(try fixture.log.open(subscription))
        try first.listen("its partition") { $0.assigned?.count == 1 }
        var second = Listener(try fixture.log.open(subscription))
        try Patience.wait("assignments") {
            try first.turn(milliseconds: 20)
            try second.turn(milliseconds: 20)
            return first.assigned != nil && second.assigned != nil
        }
        // Who has nothing must not ask for a new assignment again and again.
        let rebalances = first.revocations.count
        for _ in 0..<20 {
            try first.turn(milliseconds: 20)
            try second.turn(milliseconds: 20)
        }
        #expect(first.revocations.count == rebalances)
        // Whoever has the partition leaves it to the other one.
        let hasFirst = first.assigned?.count == 1
        var heir = hasFirst ? second : first
        defer { heir.port.close() }
        try #require(heir.assigned == [])
        (hasFirst ? first : second).port.close()
        try heir.listen("the partition") { $0.assigned?.count == 1 }
    }

    @Test("closing a member ends when the group has taken leave of it, not when its time is over")
    func closing() throws {
        let fixture = try KafkaFixture([KafkaFixture.topic("a")], properties: Self.quick)
        defer { fixture.log.close() }
        var times: [Int64] = []
        for _ in 0..<5 {
            var member = Listener(
                try fixture.log.open(LogSubscription(group: "g", shared: ["a"]))
            )
            try member.listen("its partition") { $0.assigned?.count == 1 }
            member.port.commit([LogPosition(PartitionID("a", 0), offset: 0)])
            let before = LogClock.monotonicMilliseconds()
            member.port.close()
            times.append(LogClock.monotonicMilliseconds() - before)
        }
        // Each wait inside has a limit of two seconds or more. The machine may be busy once, but not each time.
        #expect(times.min() ?? .max < 2000, "\(times)")
    }

    @Test("partitions with the same number of copartitioned topics go to one member")
    func copartitions() throws {
        let topics = [KafkaFixture.topic("requests", 5), KafkaFixture.topic("results", 5)]
        let fixture = try KafkaFixture(topics, properties: Self.quick)
        defer { fixture.log.close() }
        let subscription = LogSubscription(
            group: "g",
            shared: ["requests", "results"],
            isCopartitioned: true
        )
        var first = Listener(try fixture.log.open(subscription))
        defer { first.port.close() }
        var second = Listener(try fixture.log.open(subscription))
        defer { second.port.close() }
        try Patience.wait("assignments") {
            try first.turn(milliseconds: 20)
            try second.turn(milliseconds: 20)
            return first.assigned?.isEmpty == false && second.assigned?.isEmpty == false
        }
        for listener in [first, second] {
            let places = (listener.assigned ?? []).map(\.partition)
            let numbers = ["requests", "results"].map { name in
                Set(places.filter { $0.topic == name }.map(\.partition))
            }
            #expect(numbers[0] == numbers[1])
        }
        #expect((first.assigned?.count ?? 0) + (second.assigned?.count ?? 0) == 10)
    }

    @Test(
        "without credits no metered record comes, other records do, and the group keeps the member"
    )
    func credits() throws {
        let topics = [KafkaFixture.topic("tasks", 2), KafkaFixture.topic("other")]
        let fixture = try KafkaFixture(
            topics,
            properties: Self.quick + [(name: "max.poll.interval.ms", value: "6000")]
        )
        defer { fixture.log.close() }
        for partition in 0..<2 {
            try fixture.send((0..<500).map { "\($0)" }, to: "tasks", partition)
        }
        let port = try fixture.log.open(
            LogSubscription(group: "g", shared: ["tasks", "other"], metered: ["tasks": 1])
        )
        defer { port.close() }
        var listener = Listener(port)
        try listener.listen("an assignment", credits: 0) { $0.assigned?.count == 3 }
        // A fetch brings all that there is of a partition: who has a record of each has the others at hand.
        var taken = 0
        var partitions: Set<Int> = []
        while partitions.count < 2 {
            listener.records = []
            try listener.turn(credits: 10)
            #expect(listener.records.count <= 10)
            taken += listener.records.count
            partitions.formUnion(listener.records.map(\.partition))
        }
        let end = LogClock.monotonicMilliseconds() + 9000
        listener.records = []
        try fixture.send(["x"], to: "other")
        while LogClock.monotonicMilliseconds() < end {
            try listener.turn(credits: 0, milliseconds: 1000)
        }
        #expect(listener.records.map(\.text) == ["x"])
        #expect(listener.revocations.isEmpty)
        listener.records = []
        // Nothing was given back meanwhile, and nothing has to be waited for.
        try listener.turn(milliseconds: 0)
        #expect(listener.records.count == 1000 - taken)
        #expect(listener.revocations.isEmpty)
    }

    @Test("metered topics share credits by their weights, and partitions take turns")
    func shares() throws {
        let topics = [KafkaFixture.topic("high", 2), KafkaFixture.topic("low", 2)]
        let fixture = try KafkaFixture(topics)
        defer { fixture.log.close() }
        for topic in ["high", "low"] {
            for partition in 0..<2 {
                try fixture.send((0..<200).map { "\($0)" }, to: topic, partition)
            }
        }
        let port = try fixture.log.open(
            LogSubscription(
                group: "g",
                shared: ["high", "low"],
                metered: ["high": 3, "low": 1]
            )
        )
        defer { port.close() }
        var listener = Listener(port)
        try listener.listen("an assignment", credits: 0) { $0.assigned?.count == 4 }
        // Until all four queues hold something, which is all that there is: a fetch brings it at once.
        var seen: Set<PartitionID> = []
        var taken = 0
        while seen.count < 4 {
            listener.records = []
            try listener.turn(credits: 1)
            taken += listener.records.count
            seen.formUnion(listener.records.map(\.source))
            try listener.turn(credits: 0, milliseconds: 20)
        }
        listener.records = []
        try listener.turn(credits: 80)
        #expect(listener.records.count == 80)
        #expect(listener.records.filter { $0.topic == "high" }.count == 60)
        for topic in ["high", "low"] {
            let counts = (0..<2).map { number in
                listener.records.filter { $0.topic == topic && $0.partition == number }.count
            }
            #expect(abs(counts[0] - counts[1]) <= 1)
        }
        listener.records = []
        try listener.listen("the rest") { $0.records.count == 720 - taken }
    }

    @Test(
        "a member that does not look for too long loses its partitions, hears so, and comes back",
        arguments: [0, 2500]
    )
    func frozen(millisecondsAlone: Int) throws {
        let properties = [
            (name: "session.timeout.ms", value: "1000"),
            (name: "max.poll.interval.ms", value: "1000"),
        ]
        let fixture = try KafkaFixture([KafkaFixture.topic("a")], properties: properties)
        defer { fixture.log.close() }
        try fixture.send(["0", "1"], to: "a")
        let subscription = LogSubscription(group: "g", shared: ["a"])
        var first = Listener(try fixture.log.open(subscription))
        defer { first.port.close() }
        try first.listen("records") { $0.records.count == 2 }
        // The first does not poll meanwhile. Alone it is thrown out by itself, else by the other's coming.
        WakeUp().wait(milliseconds: millisecondsAlone)
        var second = Listener(try fixture.log.open(subscription))
        try second.listen("the partition") { $0.assigned?.count == 1 && $0.records.count == 2 }
        second.port.commit([LogPosition(PartitionID("a", 0), offset: 1, metadata: "second")])
        try first.listen("the loss") { !$0.revocations.isEmpty }
        // In the other case it hears of the other's coming, which was before it was thrown out.
        if millisecondsAlone > 0 { #expect(first.revocations.map(\.isLost) == [true]) }
        // What it commits now counts for nothing.
        first.port.commit([LogPosition(PartitionID("a", 0), offset: 2, metadata: "zombie")])
        try first.turn()
        second.port.close()
        first.records = []
        try first.listen("the partition") { $0.assigned?.count == 1 }
        let place = LogPosition(PartitionID("a", 0), offset: 1, metadata: "second")
        #expect(first.assigned == [place])
        try first.listen("the record") { $0.records.map(\.text) == ["1"] }
    }
}
