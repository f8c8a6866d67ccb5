// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import KafkaLog
import TaskLog
import TestSupport
import Testing

@Suite struct KafkaSettingsTests {
    private static func settings(
        _ properties: [(name: String, value: String)]
    ) throws(DrayError) -> KafkaSettings {
        try KafkaSettings(brokers: "localhost:1", clientName: "test", properties: properties)
    }

    @Test(
        "a property that delivery depends on is refused with the reason",
        arguments: [
            "enable.auto.commit", "enable.auto.offset.store", "acks", "request.required.acks",
            "partition.assignment.strategy", "group.id", "auto.offset.reset", "log.queue",
            "enable.partition.eof", "max.in.flight.requests.per.connection", "max.in.flight",
            "enable.idempotence", "isolation.level", "transactional.id", "dr_msg_cb",
            "rebalance_cb", "bootstrap.servers", "client.id", "delivery.report.only.error",
        ]
    )
    func refused(name: String) {
        let error = #expect(throws: DrayError.self) { try Self.settings([(name, "1")]) }
        #expect(error?.kind == .refused)
        #expect(error?.message.contains(name) == true)
    }

    @Test(
        "an unknown property or a bad value is invalid, in librdkafka's words",
        arguments: [
            ("no.such.property", "1", "No such configuration property"),
            ("session.timeout.ms", "soon", "Invalid value"),
            ("security.protocol", "plain", "Invalid value"),
            ("compression.type", "rar", "Invalid value"),
        ]
    )
    func invalid(name: String, value: String, words: String) {
        let error = #expect(throws: DrayError.self) { try Self.settings([(name, value)]) }
        #expect(error?.kind == .invalid)
        #expect(error?.message.contains(name) == true)
        #expect(error?.message.contains(words) == true)
    }

    @Test("other properties pass")
    func passed() throws {
        let settings = try Self.settings([
            ("session.timeout.ms", "7000"), ("security.protocol", "sasl_ssl"),
            ("sasl.mechanisms", "SCRAM-SHA-512"), ("compression.type", "snappy"),
            ("linger.ms", "20"), ("client.rack", "here"),
        ])
        #expect(settings.redactedDescription.contains("session.timeout.ms=7000"))
    }

    @Test(
        "a secret is never shown",
        arguments: [
            "sasl.password", "ssl.key.password", "ssl.key.pem", "ssl.certificate.pem",
            "ssl.keystore.password", "sasl.oauthbearer.config",
        ]
    )
    func secrets(name: String) throws {
        let settings = try Self.settings([(name, "hunter2")])
        var dumped = ""
        dump(settings, to: &dumped)
        for text in [
            "\(settings)", settings.redactedDescription, dumped, String(reflecting: settings),
        ] {
            #expect(text.contains(name))
            #expect(!text.contains("hunter2"))
        }
    }

    @Test("the rest of a secret that was cut at a comma is not shown")
    func cutSecrets() throws {
        let error = #expect(throws: DrayError.self) {
            try Self.settings([("sasl.password", "hun"), ("ter2", "on")])
        }
        #expect(error?.kind == .invalid)
        #expect(error?.message.contains("ter2") == false)
        let known = #expect(throws: DrayError.self) {
            try Self.settings([("sasl.password", "hunter2"), ("linger.ms", "soon")])
        }
        #expect(known?.message.contains("linger.ms") == true)
    }

    @Test("a secret can be read from a file")
    func files() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("password")
        try Tool.check(["sh", "-c", "echo hunter2 > '\(path)'"])
        let settings = try Self.settings([("sasl.password.file", path)])
        #expect(settings.redactedDescription.contains("sasl.password=***"))
        let missing = #expect(throws: DrayError.self) {
            try Self.settings([("sasl.password.file", directory.file("nothing"))])
        }
        #expect(missing?.kind == .resource)
        #expect(missing?.file == directory.file("nothing"))
        try Tool.check(["sh", "-c", "head -c 70000 /dev/zero | tr '\\0' x > '\(path)'"])
        let large = #expect(throws: DrayError.self) {
            try Self.settings([("sasl.password.file", path)])
        }
        #expect(large?.kind == .invalid)
        let plain = #expect(throws: DrayError.self) {
            try Self.settings([("linger.ms.file", path)])
        }
        #expect(plain?.kind == .invalid)
    }

    @Test("a prefix is a part of a topic's name", arguments: ["a/b", "ä.", "a b", "a\n"])
    func prefixes(prefix: String) {
        let error = #expect(throws: DrayError.self) {
            try KafkaSettings(brokers: "localhost:1", prefix: prefix, clientName: "test")
        }
        #expect(error?.kind == .invalid)
    }
}
