// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CommandTable
internal import Fleet
internal import KafkaLog

/// `dray topics`: the fleet's topics, made or verified.
enum TopicsCommand {
    static func create(_ arguments: ParsedArguments) throws -> Int32 {
        let settings = try Settings(arguments)
        let jobs = try settings.number(TopicsTable.partitions, in: 1...10_000) ?? 12
        let tasks = try settings.number(TopicsTable.taskPartitions, in: 1...10_000) ?? 24
        let copies = try settings.number(TopicsTable.replication, in: 1...100)
        let connection = try FleetConnection(settings, role: "topics")
        let specs = Topics(jobPartitions: jobs, taskPartitions: tasks).specs
        let findings = try KafkaTopics(connection.kafka).create(specs, replication: copies)
        let wrong = try KafkaTopics(connection.kafka).check(specs, replication: copies)
        return try report(findings + wrong)
    }

    static func check(_ arguments: ParsedArguments) throws -> Int32 {
        let connection = try FleetConnection(Settings(arguments), role: "topics")
        let log = try KafkaLog(connection.kafka, onWaiting: StandardError.report)
        defer { log.close() }
        let topics = Topics(
            jobPartitions: try log.partitionCount(of: Topics.requests),
            taskPartitions: try log.partitionCount(of: Topics.tasks(.normal))
        )
        return try report(KafkaTopics(connection.kafka).check(topics.specs))
    }

    private static func report(_ findings: [TopicFinding]) throws -> Int32 {
        try StandardOutput.write(findings.map { $0.description + "\n" }.joined())
        return findings.contains { $0.kind == .missing || $0.kind == .differs }
            ? ExitCode.usage : ExitCode.success
    }
}
