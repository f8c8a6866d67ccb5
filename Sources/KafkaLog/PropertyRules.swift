// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Glibc

/// Which properties of librdkafka are whose.
enum PropertyRules {
    /// The longest secret that a file may hold: a chain of certificates is shorter.
    static let largestSecret = 1 << 16

    /// Properties whose values are never shown.
    static let secrets: Set<String> = [
        "sasl.password", "sasl.oauthbearer.config", "sasl.oauthbearer.client.secret",
        "ssl.key.password", "ssl.key.pem", "ssl.certificate.pem", "ssl.ca.pem",
        "ssl.keystore.password", "ssl_key", "ssl_certificate", "ssl_ca",
    ]

    /// Whether a property's value is never shown. Cautious: what sounds like a secret is one.
    static func isSecret(_ name: String) -> Bool {
        secrets.contains(name) || name.hasSuffix("password") || name.hasSuffix("secret")
            || name.hasSuffix(".pem")
    }

    private static let reasons: [String: String] = [
        "bootstrap.servers": "the brokers have an option of their own",
        "metadata.broker.list": "the brokers have an option of their own",
        "client.id": "it is made of the process's name",
        "group.id": "the members of a role must be in one group, which is named after the prefix",
        "group.protocol": "partitions are handed over by the classic protocol's rules",
        "enable.auto.commit": "a place is committed only when what follows from it is durable",
        "auto.commit.enable": "a place is committed only when what follows from it is durable",
        "auto.commit.interval.ms": "nothing is committed automatically",
        "enable.auto.offset.store":
            "a place is committed only when what follows from it is durable",
        "offset.store.method": "places are kept by the brokers, for whoever goes on",
        "auto.offset.reset": "where reading begins is part of what is not lost",
        "partition.assignment.strategy":
            "a coordinator must get equal partitions of its topics, and cooperative strategies lose commits",
        "isolation.level": "records are read as they are: the fleet uses no transactions",
        "enable.partition.eof": "the end of a partition is how reading knows that it is done",
        "acks": "a record counts only when every replica in sync has it",
        "request.required.acks": "a record counts only when every replica in sync has it",
        "enable.idempotence": "it is set by the version of librdkafka: some fail with it",
        "enable.gapless.guarantee": "it needs idempotence, which is set by librdkafka's version",
        "max.in.flight.requests.per.connection": "records of one sender must keep their order",
        "max.in.flight": "records of one sender must keep their order",
        "transactional.id": "the fleet uses no transactions",
        "delivery.report.only.error": "a delivery that is not reported would be waited for",
        "dr_cb": "events are taken in another way", "dr_msg_cb": "events are taken in another way",
        "log.queue": "log lines are taken in another way",
        "allow.auto.create.topics": "topics are made with `dray topics create`",
        "partitioner": "every record names its partition",
        "opaque": "it is not text", "default_topic_conf": "it is not text",
        "interceptors": "it is not text", "msg_order_cmp": "it is not text",
        "queuing.strategy": "records of one sender must keep their order",
        "message.max.bytes": "it follows from the largest record of the protocol",
        "message.copy.max.bytes": "it follows from the largest record of the protocol",
    ]

    /// Why a property with this value cannot be set from outside, nil where it can.
    static func refusal(of property: KafkaProperty) -> String? {
        if let reason = reasons[property.name] { return reason }
        return property.name.hasSuffix("_cb") ? "it is not text" : nil
    }

    /// The property that was meant: `NAME.file` names the file that holds a secret, without the line's end.
    static func resolve(_ name: String, _ value: String) throws(DrayError) -> KafkaProperty {
        guard name.hasSuffix(".file"), isSecret(String(name.dropLast(5))) else {
            return KafkaProperty(name: name, value: value)
        }
        var bytes = try contents(of: value, for: name)
        while bytes.last == 10 || bytes.last == 13 { bytes.removeLast() }
        guard !bytes.contains(0), !bytes.isEmpty else {
            throw DrayError(.invalid, "the file of \(name) holds no text", file: value)
        }
        return KafkaProperty(
            name: String(name.dropLast(5)),
            value: String(decoding: bytes, as: UTF8.self)
        )
    }

    private static func contents(of path: String, for name: String) throws(DrayError) -> [UInt8] {
        guard let file = unsafe fopen(path, "re") else {
            throw DrayError(.resource, "cannot read the file of \(name)", file: path, errno: errno)
        }
        defer { unsafe fclose(file) }
        var bytes = [UInt8](repeating: 0, count: largestSecret + 1)
        let count = unsafe fread(&bytes, 1, bytes.count, file)
        guard unsafe ferror(file) == 0 else {
            throw DrayError(.resource, "cannot read the file of \(name)", file: path, errno: errno)
        }
        guard count <= largestSecret else {
            throw DrayError(
                .invalid,
                "the file of \(name) is larger than \(largestSecret) bytes",
                file: path
            )
        }
        return Array(bytes.prefix(count))
    }
}
