// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

@Suite(.enabled(if: KafkaCluster.isAvailable, "\(KafkaCluster.reason)"), .timeLimit(.minutes(15)))
struct LocalKafkaTests {
    private static let script = "\(SharedFiles.repository)/deploy/local-kafka"

    @Test("a cluster ends with its owner, however that ends, and leaves nothing behind")
    func owner() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("kafka")
        let owner = try RunningTool(["sleep", "300"])
        let started = try Tool.run(
            [Self.script, "start", path],
            environment: ["KAFKA_OWNER": String(owner.processID)],
            limitSeconds: 300
        )
        #expect(started.succeeded)
        let text = try Tool.check([Self.script, "pid", path]).filter { $0 != "\n" }
        let node = try #require(pid_t(text))
        #expect(kill(node, 0) == 0)
        owner.kill()
        _ = try owner.wait()
        try Patience.wait("the end") { directory.names.isEmpty }
        try Patience.wait("the node's end") { kill(node, 0) != 0 }
    }

    @Test("a missing Kafka, cluster or command is told")
    func misuse() throws {
        let directory = try TemporaryDirectory()
        let empty = try Tool.run(
            [Self.script, "start", directory.file("kafka")],
            environment: ["KAFKA_HOME": directory.path]
        )
        #expect(empty.status == 69)
        #expect(empty.error.contains("KAFKA_HOME"))
        #expect(try Tool.run([Self.script, "kill", directory.file("none")]).status == 66)
        #expect(try Tool.run([Self.script]).status == 64)
        #expect(try Tool.run([Self.script, "start", directory.file("two"), "2"]).status == 64)
        #expect(directory.names.isEmpty, "nothing is left behind")
    }
}
