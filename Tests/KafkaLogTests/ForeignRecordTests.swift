// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import KafkaLog
import TaskLog
import TestSupport
import Testing

/// Other programs' records.
@Suite(
    .enabled(if: KafkaCluster.isAvailable, "\(KafkaCluster.reason)"),
    .enabled(if: Tool.isInstalled("kcat"), "no kcat"),
    .timeLimit(.minutes(15))
)
struct ForeignRecordTests {
    @Test("kcat reads what we write")
    func written() throws {
        let fixture = try KafkaFixture([KafkaFixture.topic("a", 2)])
        defer { fixture.log.close() }
        try fixture.send(["one", "two"], to: "a", 1)
        let output = try Tool.check([
            "kcat", "-b", fixture.settings.brokers, "-C", "-t", fixture.settings.prefix + "a", "-p",
            "1", "-o", "beginning", "-e", "-q", "-f", "%o %k %h %s\n",
        ])
        #expect(output == "0 one name=one one\n1 two name=two two\n")
    }

    @Test("we read what kcat writes")
    func read() throws {
        let fixture = try KafkaFixture([KafkaFixture.topic("a", 2)])
        defer { fixture.log.close() }
        let target = "-b \(fixture.settings.brokers) -P -t \(fixture.settings.prefix)a -p 1"
        try Tool.check([
            "sh", "-c", "echo key:value | kcat \(target) -K : -H ce_type=x -H b=c=d -z zstd",
        ])
        try Tool.check(["sh", "-c", "echo key: | kcat \(target) -K : -Z"])
        var records: [LogRecord] = []
        try fixture.log.read(PartitionID("a", 1), from: 0, to: 2) { records.append($0) }
        #expect(records.map(\.text) == ["value", ""])
        #expect(records.map(\.value) == [Array("value".utf8), nil])
        #expect(records.map { $0.key ?? [] } == [Array("key".utf8), Array("key".utf8)])
        #expect(records.first?.headers == [LogHeader("ce_type", "x"), LogHeader("b", "c=d")])
    }

    @Test("a record of 10 MB comes through to who reads, and so do those behind it")
    func large() throws {
        let fixture = try KafkaFixture(
            [KafkaFixture.topic("a"), KafkaFixture.topic("b")],
            overrides: [(name: "max.message.bytes", value: "12000000")]
        )
        defer { fixture.log.close() }
        let directory = try TemporaryDirectory()
        let size = 10_000_000
        let path = directory.file("value")
        try Tool.check(["sh", "-c", "head -c \(size) /dev/urandom > '\(path)'"])
        for topic in ["a", "b"] {
            try fixture.send(["before"], to: topic)
            try Tool.check([
                "kcat", "-b", fixture.settings.brokers, "-P", "-t", fixture.settings.prefix + topic,
                "-p",
                "0", "-X", "message.max.bytes=12000000", path,
            ])
            try fixture.send(["behind"], to: topic)
        }
        let port = try fixture.log.open(
            LogSubscription(group: "g", shared: ["a"], metered: ["a": 1], tailed: ["b"])
        )
        defer { port.close() }
        var listener = Listener(port)
        try listener.listen("records") { $0.records.count == 6 }
        for topic in ["a", "b"] {
            let records = listener.records.filter { $0.topic == topic }
            #expect(records.map { $0.value?.count ?? 0 } == [6, size, 6])
        }
        var sizes: [Int] = []
        try fixture.log.read(PartitionID("a", 0), from: 0, to: 3) {
            sizes.append($0.value?.count ?? 0)
        }
        #expect(sizes == [6, size, 6])
    }

    @Test("the largest record of the protocol goes through, and a larger one is given up")
    func largest() throws {
        let fixture = try KafkaFixture([KafkaFixture.topic("a")])
        defer { fixture.log.close() }
        var listener = Listener(try fixture.log.open(LogSubscription(group: "g", tailed: ["a"])))
        defer { listener.port.close() }
        var generator = SystemRandomNumberGenerator()
        for (token, size) in [8 << 20, 9 << 20].enumerated() {
            // Nothing that compression could make smaller.
            let words = (0..<size / 8).map { _ in generator.next() }
            let value = words.flatMap { word in
                (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) }
            }
            let record = NewRecord(PartitionID("a", 0), key: nil, headers: [], value: value)
            listener.port.produce(record, token: UInt64(token))
        }
        listener.port.produce(KafkaFixture.record("a", 0, "behind"), token: 2)
        try listener.listen("records") { $0.records.count == 2 && $0.failures.count == 1 }
        #expect(listener.records.map { $0.value?.count ?? 0 } == [8 << 20, 6])
        #expect(Set(listener.delivered) == [0, 2])
    }

    @Test("a record whose content cannot be encoded is given up with the reason, the others go on")
    func unencodable() throws {
        struct Unencodable: LogMessage {
            var headers: [LogHeader] { [] }
            func value() throws(DrayError) -> [UInt8] { throw DrayError(.unsupported, "no words") }
        }
        let fixture = try KafkaFixture([KafkaFixture.topic("a")])
        defer { fixture.log.close() }
        var listener = Listener(try fixture.log.open(LogSubscription(group: "g", tailed: ["a"])))
        defer { listener.port.close() }
        let content = RecordContent.message(Unencodable())
        let record = NewRecord(PartitionID("a", 0), key: nil, content: content)
        listener.port.produce(record, token: 0)
        listener.port.produce(KafkaFixture.record("a", 0, "fine"), token: 1)
        try listener.listen("outcomes") { $0.records.count == 1 && $0.failures.count == 1 }
        #expect(listener.failures == [DrayError(.unsupported, "no words")])
    }
}
