// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
internal import CRdKafka
internal import Glibc
package import TaskLog

/// Makes a fleet's topics, and says what is wrong with those that exist. Everything here waits for the brokers, half a minute at
/// most, and fails with `resource` when they do not answer.
package struct KafkaTopics {
    /// How long a request waits, in milliseconds.
    private static let patience = 30_000

    private let settings: KafkaSettings

    /// Names the fleet.
    package init(_ settings: KafkaSettings) throws(DrayError) { self.settings = settings }

    /// Makes the topics that are not there, with `replication` copies of each record (else three, or as many as there are
    /// brokers), and waits until they can be used. `overrides` are settings of Kafka's for all of them, besides ours.
    /// Fails with `refused` where a broker does not make one.
    package func create(
        _ specs: [TopicSpec],
        replication: Int? = nil,
        overrides: [(name: String, value: String)] = []
    ) throws(DrayError) -> [TopicFinding] {
        try withHandle { handle throws(DrayError) in
            let copies = try copies(replication, handle)
            let orders = specs.map { spec in
                let rules = TopicRules(spec: spec, replicas: copies).settings
                let others = rules.filter { rule in !overrides.contains { $0.name == rule.name } }
                return KafkaHandle.TopicOrder(
                    name: handle.names.full(spec.name),
                    partitions: spec.partitions,
                    replicas: copies,
                    settings: others + overrides.map { TopicSetting($0.name, $0.value) }
                )
            }
            let failures = try attempt("cannot make topics") { limit throws(KafkaFailure) in
                try handle.create(orders, milliseconds: limit)
            }
            let existing = KafkaCode(RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
            for (name, failure) in failures where failure.code != existing {
                throw DrayError(.refused, "cannot make topic \(name): \(failure.text)")
            }
            try waitForLeaders(specs, handle)
            return orders.map { order in
                let made = "\(order.partitions) partitions, \(copies) replicas"
                return failures[order.name] == nil
                    ? TopicFinding(.made, order.name, found: made)
                    : TopicFinding(.present, order.name)
            }
        }
    }

    /// What is wrong with the topics as they are; nothing where all is well. `replication` as in
    /// ``create(_:replication:overrides:)``: fewer copies than that are found too few.
    package func check(
        _ specs: [TopicSpec],
        replication: Int? = nil
    ) throws(DrayError) -> [TopicFinding] {
        try withHandle { handle throws(DrayError) in
            let copies = try copies(replication, handle)
            var findings: [TopicFinding] = []
            var present: [TopicRules] = []
            for spec in specs {
                let name = handle.names.full(spec.name)
                let topic = try describe(spec, handle)
                guard let topic, topic.code == .none, !topic.replicas.isEmpty else {
                    let remedy = "`dray topics create` makes it"
                    findings.append(TopicFinding(.missing, name, remedy: remedy))
                    continue
                }
                findings += Self.compare(spec, name, topic, copies: copies)
                present.append(TopicRules(spec: spec, replicas: topic.replicas.min() ?? 1))
            }
            return findings + (try compareSettings(present, handle))
        }
    }

    private static func compare(
        _ spec: TopicSpec,
        _ name: String,
        _ topic: ClusterMetadata.Topic,
        copies: Int
    ) -> [TopicFinding] {
        var findings: [TopicFinding] = []
        if topic.replicas.count != spec.partitions {
            let canGrow = topic.replicas.count < spec.partitions
            findings.append(
                TopicFinding(
                    .differs,
                    name,
                    setting: "partitions",
                    found: String(topic.replicas.count),
                    wanted: String(spec.partitions),
                    remedy: canGrow
                        ? "stop the fleet, let its jobs end before, and use kafka-topics.sh --alter "
                            + "--topic \(name) --partitions \(spec.partitions)"
                        : "give the fleet the number that is there, or delete the topic and create it anew"
                )
            )
        }
        if let fewest = topic.replicas.min(), fewest < copies {
            findings.append(
                TopicFinding(
                    .differs,
                    name,
                    setting: "replicas",
                    found: String(fewest),
                    wanted: String(copies),
                    remedy: "use kafka-reassign-partitions.sh, or records are lost with a broker"
                )
            )
        }
        return findings
    }

    private func compareSettings(
        _ present: [TopicRules],
        _ handle: KafkaHandle
    ) throws(DrayError) -> [TopicFinding] {
        guard !present.isEmpty else { return [] }
        var findings: [TopicFinding] = []
        for rules in present {
            let name = handle.names.full(rules.spec.name)
            // One topic a request: librdkafka 2.0.2 sends several, but brokers answer for the first that fails only.
            let found = try attempt("cannot ask for settings") { limit throws(KafkaFailure) in
                try handle.settings(ofTopics: [name], milliseconds: limit)
            }
            for setting in rules.settings {
                guard let value = found[name]?[setting.name],
                    let wanted = rules.wanted(setting, found: value)
                else { continue }
                findings.append(
                    TopicFinding(
                        .differs,
                        name,
                        setting: setting.name,
                        found: value,
                        wanted: wanted,
                        remedy: "use kafka-configs.sh --alter --entity-type topics "
                            + "--entity-name \(name) --add-config \(setting.name)=\(setting.value)"
                    )
                )
            }
        }
        return findings
    }

    /// Waits until every partition has a leader.
    private func waitForLeaders(_ specs: [TopicSpec], _ handle: KafkaHandle) throws(DrayError) {
        let deadline = LogClock.monotonicMilliseconds() + Int64(Self.patience)
        for spec in specs {
            while true {
                let topic = try describe(spec, handle)
                if let topic, topic.code == .none, topic.isLed, !topic.replicas.isEmpty { break }
                guard LogClock.monotonicMilliseconds() < deadline else {
                    let name = handle.names.full(spec.name)
                    throw DrayError(.resource, "topic \(name) was made, but no broker leads it")
                }
                usleep(20_000)
            }
        }
    }

    private func describe(
        _ spec: TopicSpec,
        _ handle: KafkaHandle
    ) throws(DrayError) -> ClusterMetadata.Topic? {
        let name = handle.names.full(spec.name)
        return try attempt("cannot ask about topic \(name)") { limit throws(KafkaFailure) in
            let topic = KafkaTopic(spec.name, of: handle)
            return try handle.metadata(of: topic, milliseconds: limit).topics[name]
        }
    }

    private func copies(
        _ wanted: Int?,
        _ handle: KafkaHandle
    ) throws(DrayError) -> Int {
        if let wanted { return wanted }
        return try attempt("cannot ask for brokers") { limit throws(KafkaFailure) in
            min(3, max(1, try handle.metadata(of: nil, milliseconds: limit).brokers))
        }
    }

    private func attempt<Answer>(
        _ what: String,
        _ ask: (_ milliseconds: Int) throws(KafkaFailure) -> Answer
    ) throws(DrayError) -> Answer {
        let deadline = LogClock.monotonicMilliseconds() + Int64(Self.patience)
        while true {
            do throws(KafkaFailure) {
                return try ask(5000)
            } catch {
                guard error.code.mayPass, LogClock.monotonicMilliseconds() < deadline else {
                    throw error.error("\(what) at \(settings.brokers)")
                }
            }
            usleep(100_000)
        }
    }

    private func withHandle<Result>(
        _ body: (KafkaHandle) throws(DrayError) -> Result
    ) throws(DrayError) -> Result {
        let handle = try KafkaHandle(.inquirer, settings)
        defer { handle.end(limitMilliseconds: 3000) }
        return try body(handle)
    }
}
