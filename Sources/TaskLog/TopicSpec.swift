// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// A topic as it is to be created.
package struct TopicSpec: Sendable, Hashable {
    /// What becomes of records.
    package enum Policy: Sendable, Hashable {
        /// They are dropped once their consumer group has committed past them (on Kafka: after the retention time).
        case consumed
        /// The last record of each key stays.
        case compacted
        /// They are for others: without a consumer of its own the embedded log drops them at once.
        case outgoing
        /// They stay.
        case kept
    }

    /// The name, without the fleet's prefix.
    package let name: String
    /// How many partitions.
    package let partitions: Int
    /// What becomes of records.
    package let policy: Policy
    /// Whether a journal keeps the records: false for what a restarted coordinator makes afresh.
    package let isJournaled: Bool
    /// How long Kafka keeps a record, unless the topic is compacted.
    package let retentionDays: Int

    /// Names a topic.
    package init(
        _ name: String,
        partitions: Int,
        policy: Policy,
        isJournaled: Bool,
        retentionDays: Int = 7
    ) {
        precondition(partitions > 0, "a topic has at least one partition")
        self.name = name
        self.partitions = partitions
        self.policy = policy
        self.isJournaled = isJournaled
        self.retentionDays = retentionDays
    }
}
