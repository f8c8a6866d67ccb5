// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import KafkaLog
import TaskLog
import TestSupport
import Testing

@Suite(.enabled(if: KafkaCluster.isAvailable, "\(KafkaCluster.reason)"), .timeLimit(.minutes(15)))
struct SecurityTests {
    @Test("TLS and a password work; a wrong password or authority is told, without the password")
    func security() throws {
        let cluster = try KafkaCluster(isSecure: true)
        let plain = try KafkaFixture([KafkaFixture.topic("a")], on: cluster)
        defer { plain.log.close() }
        try plain.send(["0"], to: "a")
        func log(password: String, authority: String, patience: Int = 90_000) throws -> KafkaLog {
            let settings = try KafkaSettings(
                brokers: cluster.secureBrokers(),
                prefix: plain.settings.prefix,
                clientName: "test",
                properties: [
                    ("security.protocol", "sasl_ssl"), ("ssl.ca.location", authority),
                    ("sasl.mechanisms", "PLAIN"), ("sasl.username", "fleet"),
                    ("sasl.password", password),
                ]
            )
            return try KafkaLog(settings, patienceMilliseconds: patience)
        }
        let right = try log(password: "fleet-secret", authority: cluster.authority)
        defer { right.close() }
        var listener = Listener(try right.open(LogSubscription(group: "g", shared: ["a"])))
        defer { listener.port.close() }
        listener.port.produce(KafkaFixture.record("a", 0, "1"), token: 1)
        try listener.listen("records") { $0.records.map(\.text) == ["0", "1"] }
        #expect(listener.delivered == [1])

        let wrong = try log(password: "hunter2", authority: cluster.authority)
        defer { wrong.close() }
        let before = LogClock.monotonicMilliseconds()
        let refused = #expect(throws: DrayError.self) {
            try wrong.open(LogSubscription(group: "g", shared: ["a"]))
        }
        #expect(refused?.kind == .resource)
        #expect(refused?.message.contains("uthentication") == true)
        #expect(refused?.message.contains("hunter2") == false)
        #expect(LogClock.monotonicMilliseconds() - before < 45_000)

        let stranger = try TemporaryDirectory()
        let other = stranger.file("ca.crt")
        try Tool.check([
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj",
            "/CN=another", "-keyout", stranger.file("key"), "-out", other,
        ])
        let unknown = try log(password: "fleet-secret", authority: other, patience: 10_000)
        defer { unknown.close() }
        let failed = #expect(throws: DrayError.self) { try unknown.partitionCount(of: "a") }
        #expect(failed?.kind == .resource)
        #expect(failed?.message.contains("certificate verify failed") == true)
    }
}
