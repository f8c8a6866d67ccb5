// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import Glibc
internal import TestSupport
internal import Testing

/// A fleet of its own on a Kafka: topics, a store, and the roles that a test starts, kills and stops.
final class FleetRig {
    let cluster: KafkaCluster
    let prefix: String
    /// Holds the store and the roles' log files.
    let directory: TemporaryDirectory
    private var roles: [FleetRole] = []
    /// Short times, so that a test sees in seconds what a fleet does in minutes.
    private static let kafka = [
        "--kafka", "session.timeout.ms=1000,heartbeat.interval.ms=200",
    ]

    /// Makes the topics of a new fleet on `cluster`.
    init(_ cluster: KafkaCluster, partitions: Int = 3, taskPartitions: Int = 6) throws {
        self.cluster = cluster
        directory = try TemporaryDirectory()
        prefix = "t\(UInt32.random(in: .min ... .max))."
        try Tool.check(["mkdir", directory.file("store")])
        let made = try dray([
            "topics", "create", "--partitions", "\(partitions)", "--task-partitions",
            "\(taskPartitions)",
        ])
        guard made.succeeded else {
            throw SupportError("topics create: \(made.output)\(made.error)")
        }
    }

    deinit { for role in roles { role.kill() } }

    /// The path of a file in the store.
    func store(_ name: String) -> String { directory.file("store/" + name) }

    /// Runs a command against this fleet.
    func dray(
        _ arguments: [String],
        limitSeconds: Int = 300
    ) throws -> Tool.Output {
        try DrayBinary.run(arguments, environment: environment, limitSeconds: limitSeconds)
    }

    /// Runs a command that must succeed; its standard output.
    @discardableResult
    func check(
        _ arguments: String...,
        limitSeconds: Int = 300
    ) throws -> String {
        let result = try dray(arguments, limitSeconds: limitSeconds)
        guard result.succeeded else {
            throw SupportError(
                "dray \(arguments) ended with \(result.status): \(result.error)\(logs)"
            )
        }
        return result.output
    }

    /// Submits a job and returns its id.
    func submit(_ arguments: String...) throws -> String { try submit(arguments) }

    /// The same, of a list.
    func submit(_ arguments: [String]) throws -> String {
        let result = try dray(["submit"] + arguments)
        guard result.succeeded else { throw SupportError("submit \(arguments): \(result.error)") }
        return result.output.split(separator: "\n").first.map(String.init) ?? ""
    }

    /// Submits a conversion of the store's `source` to `target` in ranges of `size`, and returns the job's id.
    func convert(
        _ source: String,
        _ target: String,
        _ format: String = "qcow2",
        rangeSize size: String = "4M"
    ) throws -> String {
        try submit("convert", "-O", format, "--range-size", size, "s/" + source, "s/" + target)
    }

    /// Waits until each of `jobs` has ranges that are done: what is killed then is killed in their middle.
    func waitForRanges(of jobs: [String]) throws {
        try waitUntil("all have ranges\(logs)") {
            let lines = try values(of: "results", format: "%k %h\n").filter {
                $0.contains("dray.result.range.v1")
            }
            return jobs.allSatisfy { job in lines.contains { $0.hasPrefix(job) } }
        }
    }

    /// Follows a job to its end.
    func watch(_ job: String, limitSeconds: Int = 300) throws -> Tool.Output {
        do {
            return try dray(["watch", job], limitSeconds: limitSeconds)
        } catch {
            throw SupportError("\(error)\(logs)")
        }
    }

    /// Starts following a job to its end.
    func watcher(_ job: String) throws -> RunningTool {
        try RunningTool([DrayBinary.path, "watch", job], environment: environment)
    }

    /// Starts a coordinator, and waits until it runs.
    @discardableResult
    func coordinator(_ arguments: String...) throws -> FleetRole {
        try start(
            ["coordinator", "--run-lease", "2", "--queue-lease", "4", "--backoff", "0.2"]
                + arguments
        )
    }

    /// Starts a worker on the store `s`, and waits until it runs. `before` is what the shell does first.
    @discardableResult
    func worker(_ arguments: String..., before: String = ":") throws -> FleetRole {
        try start(
            ["worker", "--store", "s=" + store(""), "--heartbeat", "0.3"] + arguments,
            before: before
        )
    }

    /// What the roles wrote to their logs, for a failed test's message.
    var logs: String {
        let lines = roles.flatMap { role in
            role.log.split(separator: "\n").suffix(12).map { "\n[\(role.name)] \($0)" }
        }
        return lines.joined()
    }

    /// What the log has of a job, for a failed test's message.
    func story(of job: String) -> String {
        var lines: [String] = []
        for topic in ["jobs", "tasks.normal", "results", "control", "deadletters"] {
            // A story with gaps is better than none.
            let records = (try? values(of: topic, format: "%T \(topic) %p/%o %k %s\n")) ?? []
            lines += records.filter { $0.contains(" \(job) ") }.map { String($0.prefix(400)) }
        }
        return "\n" + lines.sorted().joined(separator: "\n") + logs
    }

    /// What the log has of the jobs that left these files behind (`.NAME.JOB.partial`), for a failed test's message.
    func stories(of leftovers: [String]) -> String {
        let jobs = Set(leftovers.compactMap { $0.split(separator: ".").dropFirst().first })
        return jobs.map { story(of: String($0)) }.joined()
    }

    /// The values of a topic's records, as kcat reads them.
    func values(of topic: String, format: String = "%s\n") throws -> [String] {
        try Tool.check([
            "kcat", "-b", cluster.brokers, "-C", "-t", prefix + topic, "-e", "-q", "-o",
            "beginning",
            // Where records come all the time, a fetch that waits would never see the end.
            "-X", "fetch.wait.max.ms=5", "-f", format,
        ]).split(separator: "\n").map(String.init)
    }

    private var environment: [String: String] {
        ["DRAY_BROKERS": cluster.brokers, "DRAY_PREFIX": prefix]
    }

    private func start(
        _ arguments: [String],
        before: String = ":"
    ) throws -> FleetRole {
        let role = try FleetRole(
            arguments + Self.kafka,
            name: "\(arguments[0])\(roles.count)",
            before: before,
            directory: directory,
            environment: environment
        )
        roles.append(role)
        try role.waitForLine("\(arguments[0]) started")
        return role
    }
}

/// A coordinator or worker as a process.
final class FleetRole {
    let name: String
    let tool: RunningTool
    private let logPath: String
    private var hasEnded = false

    init(
        _ arguments: [String],
        name: String,
        before: String,
        directory: TemporaryDirectory,
        environment: [String: String]
    ) throws {
        self.name = name
        logPath = directory.file(name + ".log")
        let script = "\(before); exec \"$0\" \"$@\" 2>> '\(logPath)'"
        tool = try RunningTool(
            ["bash", "-c", script, DrayBinary.path] + arguments,
            environment: environment
        )
    }

    /// What it wrote to its log.
    var log: String {
        let data = try? Data(contentsOf: URL(filePath: logPath))
        return String(decoding: data ?? Data(), as: UTF8.self)
    }

    /// Waits until the log has a line with `text`.
    func waitForLine(_ text: String, limitSeconds: Int = 180) throws {
        try waitUntil("\(name) says '\(text)'", limitSeconds: limitSeconds) { log.contains(text) }
    }

    /// Ends it at once.
    func kill() {
        guard !hasEnded else { return }
        hasEnded = true
        tool.kill()
        _ = try? tool.wait(limitSeconds: 120)
    }

    /// Waits for the end of a role that was killed or that ends by itself; its exit status.
    func wait(limitSeconds: Int = 300) throws -> Int32 {
        hasEnded = true
        return try tool.wait(limitSeconds: limitSeconds).status
    }

    /// Asks it to leave, and waits for that; its exit status.
    func stop(limitSeconds: Int = 300) throws -> Int32 {
        tool.kill(signal: SIGTERM)
        return try wait(limitSeconds: limitSeconds)
    }
}

/// Waits until something outside has happened that nobody tells us of.
func waitUntil(
    _ what: String,
    limitSeconds: Int = 180,
    _ isTrue: () throws -> Bool
) throws {
    let deadline = ContinuousClock.now + .seconds(limitSeconds)
    while try !isTrue() {
        guard ContinuousClock.now < deadline else {
            throw SupportError("waited \(limitSeconds) s in vain until \(what)")
        }
        usleep(10_000)
    }
}
