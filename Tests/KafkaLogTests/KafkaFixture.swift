// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import KafkaLog
import TaskLog
import TestSupport
import Testing

/// A fleet's topics on a cluster, made for one test.
struct KafkaFixture {
    let settings: KafkaSettings
    let log: KafkaLog

    /// Makes topics on the shared cluster, or on a given one.
    init(
        _ topics: [TopicSpec],
        on cluster: KafkaCluster? = nil,
        overrides: [(name: String, value: String)] = [],
        properties: [(name: String, value: String)] = [],
        patienceMilliseconds: Int = 60_000
    ) throws {
        let cluster = try cluster ?? KafkaCluster.shared()
        settings = try KafkaSettings(
            brokers: cluster.brokers,
            prefix: KafkaCluster.freshPrefix(),
            clientName: "test",
            properties: properties
        )
        _ = try KafkaTopics(settings).create(topics, overrides: overrides)
        log = try KafkaLog(settings, patienceMilliseconds: patienceMilliseconds)
    }

    /// Another client of the same fleet.
    func another(_ properties: [(name: String, value: String)] = []) throws -> KafkaLog {
        try KafkaLog(
            KafkaSettings(
                brokers: settings.brokers,
                prefix: settings.prefix,
                clientName: "another",
                properties: properties
            )
        )
    }

    static func topic(
        _ name: String,
        _ partitions: Int = 1,
        _ policy: TopicSpec.Policy = .consumed
    ) -> TopicSpec {
        TopicSpec(name, partitions: partitions, policy: policy, isJournaled: false)
    }

    static func record(_ topic: String, _ partition: Int, _ text: String) -> NewRecord {
        NewRecord(
            PartitionID(topic, partition),
            key: Array(text.utf8),
            headers: [LogHeader("name", text)],
            value: Array(text.utf8)
        )
    }

    /// Sends texts to a partition and waits until all are durable.
    func send(_ texts: [String], to topic: String, _ partition: Int = 0) throws {
        let port = try log.open(LogSubscription(group: "senders"))
        defer { port.close() }
        for (index, text) in texts.enumerated() {
            port.produce(Self.record(topic, partition, text), token: UInt64(index))
        }
        var left = texts.count
        try Patience.wait("deliveries") {
            for case .delivered(_, let failure) in try port.poll(
                timeoutMilliseconds: 100,
                credits: 0
            ) {
                if let failure { throw failure }
                left -= 1
            }
            return left == 0
        }
    }

    /// Everything that is in a partition.
    func texts(_ topic: String, _ partition: Int = 0) throws -> [String] {
        let place = PartitionID(topic, partition)
        var texts: [String] = []
        try log.read(place, from: 0, to: log.end(of: place)) { record in texts.append(record.text) }
        return texts
    }
}

extension LogRecord {
    /// The value as text.
    var text: String { String(decoding: value ?? [], as: UTF8.self) }
}

/// Waits for what must come.
enum Patience {
    /// Calls `body`, which does its own waiting, until it says that it is done; throws after `seconds`.
    static func wait(
        _ what: String,
        seconds: Int64 = 180,
        _ body: () throws -> Bool
    ) throws {
        let deadline = LogClock.monotonicMilliseconds() + seconds * 1000
        while try !body() {
            guard LogClock.monotonicMilliseconds() < deadline else {
                throw SupportError("\(what): not after \(seconds) s")
            }
        }
    }
}

/// Collects what a port reports.
struct Listener {
    let port: any LogPort
    var records: [LogRecord] = []
    var assigned: [LogPosition]?
    var revocations: [(partitions: [PartitionID], isLost: Bool)] = []
    var failures: [DrayError] = []
    var delivered: [UInt64] = []

    init(_ port: any LogPort) { self.port = port }

    /// Polls once.
    mutating func turn(credits: Int = .max, milliseconds: Int = 100) throws {
        for event in try port.poll(timeoutMilliseconds: milliseconds, credits: credits) {
            switch event {
            case .record(let record): records.append(record)
            case .assigned(let places): assigned = places
            case .revoked(let partitions, let isLost):
                assigned = nil
                revocations.append((partitions, isLost))
            case .delivered(let token, let failure):
                if let failure { failures.append(failure) } else { delivered.append(token) }
            }
        }
    }

    /// Polls until `isDone`.
    mutating func listen(
        _ what: String,
        credits: Int = .max,
        seconds: Int64 = 180,
        until isDone: (Listener) -> Bool
    ) throws {
        let deadline = LogClock.monotonicMilliseconds() + seconds * 1000
        while !isDone(self) {
            guard LogClock.monotonicMilliseconds() < deadline else {
                throw SupportError("\(what): not after \(seconds) s; \(records.count) records")
            }
            try turn(credits: credits)
        }
    }
}
