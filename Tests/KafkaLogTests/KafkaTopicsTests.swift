// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import KafkaLog
import TaskLog
import TestSupport
import Testing

@Suite(.enabled(if: KafkaCluster.isAvailable, "\(KafkaCluster.reason)"), .timeLimit(.minutes(15)))
struct KafkaTopicsTests {
    private static func topics() throws -> KafkaTopics {
        try KafkaTopics(
            KafkaSettings(
                brokers: KafkaCluster.shared().brokers,
                prefix: KafkaCluster.freshPrefix(),
                clientName: "test"
            )
        )
    }

    private static let specs = [
        TopicSpec("jobs", partitions: 3, policy: .compacted, isJournaled: true),
        TopicSpec(
            "results",
            partitions: 3,
            policy: .consumed,
            isJournaled: true,
            retentionDays: 14
        ),
    ]

    @Test("topics are made as described, and making them again changes nothing")
    func making() throws {
        let topics = try Self.topics()
        #expect(try topics.check(Self.specs).map(\.kind) == [.missing, .missing])
        #expect(try topics.create(Self.specs).map(\.kind) == [.made, .made])
        #expect(try topics.check(Self.specs) == [])
        #expect(try topics.create(Self.specs).map(\.kind) == [.present, .present])
        #expect(try topics.check(Self.specs) == [])
    }

    @Test("what differs is named, with what it should be")
    func differing() throws {
        let topics = try Self.topics()
        let made = [
            TopicSpec("jobs", partitions: 2, policy: .kept, isJournaled: true),
            TopicSpec(
                "results",
                partitions: 4,
                policy: .consumed,
                isJournaled: true,
                retentionDays: 1
            ),
        ]
        let overrides = [
            ("max.message.bytes", "100000"), ("unclean.leader.election.enable", "true"),
        ]
        _ = try topics.create(made, overrides: overrides.map { (name: $0.0, value: $0.1) })
        let findings = try topics.check(Self.specs)
        #expect(findings.allSatisfy { $0.kind == .differs && !$0.remedy.isEmpty })
        let found = findings.map { finding in
            let topic = finding.topic.split(separator: ".").last ?? ""
            return "\(topic) \(finding.setting) \(finding.found)"
        }
        #expect(
            Set(found) == [
                "jobs partitions 2", "jobs cleanup.policy delete", "jobs max.message.bytes 100000",
                "jobs unclean.leader.election.enable true", "results partitions 4",
                "results retention.ms 86400000", "results max.message.bytes 100000",
                "results unclean.leader.election.enable true",
            ]
        )
        // Longer is as good.
        let shorter = [
            TopicSpec(
                "results",
                partitions: 4,
                policy: .consumed,
                isJournaled: true,
                retentionDays: 1
            )
        ]
        #expect(try topics.check(shorter).map(\.setting).contains("retention.ms") == false)
    }

    @Test("more copies than brokers are refused in the broker's words, and missed by the check")
    func copies() throws {
        let topics = try Self.topics()
        let error = #expect(throws: DrayError.self) {
            try topics.create(Self.specs, replication: 3)
        }
        #expect(error?.kind == .refused)
        #expect(error?.message.contains("eplication factor") == true)
        _ = try topics.create(Self.specs)
        let findings = try topics.check(Self.specs, replication: 3)
        #expect(findings.map(\.setting) == ["replicas", "replicas"])
    }
}
