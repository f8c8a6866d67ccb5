// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO

/// One fleet, as a client of its brokers sees it.
///
/// Values of properties may be passwords: neither descriptions nor errors show those of ``PropertyRules/secrets``.
package struct KafkaSettings: Sendable {
    /// The first brokers to ask: `HOST:PORT,…`.
    package let brokers: String
    /// What the fleet's topics and groups begin with.
    package let prefix: String
    /// Who we are, in the brokers' logs.
    package let clientName: String
    let properties: [KafkaProperty]

    /// Describes a fleet. `properties` are librdkafka's, whatever its version knows, a secret also as `NAME.file` with the path of a
    /// file that holds it. Fails with `invalid` for a property that librdkafka does not know or take, with `refused` for one
    /// that delivery depends on, with `resource` where a file cannot be read.
    package init(
        brokers: String,
        prefix: String = "dray.",
        clientName: String,
        properties: [(name: String, value: String)] = []
    ) throws(DrayError) {
        guard !brokers.isEmpty else { throw DrayError(.invalid, "no broker is named") }
        guard Self.isTopicName(prefix) else {
            throw DrayError(
                .invalid,
                "a prefix is up to 100 letters, digits, dots, dashes and underscores, "
                    + "not \"\(prefix)\""
            )
        }
        self.brokers = brokers
        self.prefix = prefix
        self.clientName = clientName
        var checked: [KafkaProperty] = []
        for (name, value) in properties {
            let property = try PropertyRules.resolve(name, value)
            if let reason = PropertyRules.refusal(of: property) {
                throw DrayError(
                    .refused,
                    "the property \(property.name) is not yours to set: \(reason)"
                )
            }
            checked.append(property)
        }
        self.properties = checked
        let scratch = KafkaConfiguration()
        try scratch.set("bootstrap.servers", brokers)
        try scratch.set("client.id", clientName)
        var isBehindSecret = false
        for (property, given) in zip(checked, properties) {
            try scratch.set(property, mayBeSecret: isBehindSecret)
            isBehindSecret = isBehindSecret || PropertyRules.isSecret(given.name)
        }
    }

    /// The value that was given for a property, the last one where there are several.
    func value(of name: String) -> String? { properties.last { $0.name == name }?.value }

    var names: KafkaNames { KafkaNames(prefix: prefix) }

    /// What Kafka allows in a topic's name, and few enough that a topic's own name fits behind.
    private static func isTopicName(_ text: String) -> Bool {
        text.utf8.count <= 100
            && text.utf8.allSatisfy { byte in
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                    || [45, 46, 95].contains(byte)
            }
    }
}

extension KafkaSettings: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The settings on one line, secrets as `***`.
    package var redactedDescription: String {
        ["brokers=\(brokers)", "prefix=\(prefix)", "client.id=\(clientName)"].joined(separator: " ")
            + properties.map { " \($0)" }.joined()
    }

    package var description: String { redactedDescription }
    package var debugDescription: String { redactedDescription }
    package var customMirror: Mirror {
        Mirror(self, children: ["redactedDescription": redactedDescription])
    }
}

/// A property of librdkafka with its value, which may be a secret.
struct KafkaProperty: Sendable, CustomStringConvertible, CustomReflectable {
    let name: String
    let value: String

    var description: String {
        PropertyRules.isSecret(name) ? "\(name)=***" : "\(name)=\(value)"
    }

    var customMirror: Mirror { Mirror(self, children: ["property": description]) }
}
