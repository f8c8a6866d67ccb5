// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CRdKafka

/// What a handle of librdkafka is made with.
@safe
final class KafkaConfiguration {
    private var raw: OpaquePointer?

    init() { unsafe raw = rd_kafka_conf_new() }

    /// Whatever no handle has taken over.
    deinit { if let raw = unsafe raw { unsafe rd_kafka_conf_destroy(raw) } }

    /// Sets a property. Fails with `invalid` and librdkafka's reason, which for a secret might quote it, and is left out.
    func set(_ name: String, _ value: String) throws(DrayError) {
        try set(KafkaProperty(name: name, value: value))
    }

    /// Sets a property. Where its name may be the rest of a secret, cut at a comma, errors show only names that librdkafka knows.
    func set(_ property: KafkaProperty, mayBeSecret: Bool = false) throws(DrayError) {
        var reason = [CChar](repeating: 0, count: 512)
        let result = unsafe rd_kafka_conf_set(
            raw,
            property.name,
            property.value,
            &reason,
            reason.count
        )
        guard result != RD_KAFKA_CONF_OK else { return }
        guard result != RD_KAFKA_CONF_UNKNOWN || !mayBeSecret else {
            throw DrayError(
                .invalid,
                "there is an unknown Kafka property behind a secret; is that one with a comma? It is written twice"
            )
        }
        let isSecret = PropertyRules.isSecret(property.name)
        guard result == RD_KAFKA_CONF_UNKNOWN || !isSecret else {
            throw DrayError(.invalid, "librdkafka does not take the value of \(property.name)")
        }
        throw DrayError(.invalid, "Kafka property \(property.name): \(Self.text(reason))")
    }

    /// Chooses which events a handle's queues get: a sum of `RD_KAFKA_EVENT_…`.
    func enable(events: Int32) { unsafe rd_kafka_conf_set_events(raw, events) }

    /// Makes a handle write no log: for handles whose queues nobody looks at while they rest.
    func silence() { unsafe rd_kafka_conf_set_log_cb(raw, nil) }

    /// Makes a handle, which takes the configuration over.
    func makeHandle(_ type: rd_kafka_type_t) throws(DrayError) -> OpaquePointer {
        var reason = [CChar](repeating: 0, count: 512)
        guard let handle = unsafe rd_kafka_new(type, raw, &reason, reason.count) else {
            throw DrayError(.invalid, "Kafka properties: \(Self.text(reason))")
        }
        unsafe raw = nil
        return unsafe handle
    }

    static func text(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
