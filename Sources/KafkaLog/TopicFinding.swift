// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// What was found out about one topic.
package struct TopicFinding: Sendable, Hashable {
    /// What sort of finding.
    package enum Kind: Sendable, Hashable {
        /// The topic was made.
        case made
        /// The topic was there.
        case present
        /// There is no such topic.
        case missing
        /// A setting is not what the fleet relies on.
        case differs
    }

    /// What sort of finding.
    package let kind: Kind
    /// The topic, as the brokers call it.
    package let topic: String
    /// What differs: `partitions`, `replicas` or a setting of Kafka's; else empty.
    package let setting: String
    /// How it is.
    package let found: String
    /// How it should be.
    package let wanted: String
    /// How to mend it, where something is wrong.
    package let remedy: String

    init(
        _ kind: Kind,
        _ topic: String,
        setting: String = "",
        found: String = "",
        wanted: String = "",
        remedy: String = ""
    ) {
        self.kind = kind
        self.topic = topic
        self.setting = setting
        self.found = found
        self.wanted = wanted
        self.remedy = remedy
    }
}

extension TopicFinding: CustomStringConvertible {
    /// One line for a person.
    package var description: String {
        switch kind {
        case .made: "\(topic): made with \(found)"
        case .present: "\(topic): was there"
        case .missing: "\(topic): is missing; \(remedy)"
        case .differs: "\(topic): \(setting) is \(found), should be \(wanted); \(remedy)"
        }
    }
}
