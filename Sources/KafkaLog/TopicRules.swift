// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import TaskLog

/// What a topic of ours needs of its settings.
struct TopicRules {
    let spec: TopicSpec
    let replicas: Int

    /// The settings to make it with.
    var settings: [TopicSetting] {
        var settings = [
            TopicSetting("max.message.bytes", String(RecordLimits.batch)),
            TopicSetting("min.insync.replicas", replicas >= 3 ? "2" : "1"),
            TopicSetting("unclean.leader.election.enable", "false"),
        ]
        if spec.policy == .compacted {
            settings += [
                TopicSetting("cleanup.policy", "compact"),
                TopicSetting("min.cleanable.dirty.ratio", "0.1"),
                TopicSetting("segment.ms", String(Self.hour)),
                TopicSetting("delete.retention.ms", String(24 * Self.hour)),
            ]
        } else {
            settings += [
                TopicSetting("cleanup.policy", "delete"),
                TopicSetting("retention.ms", String(spec.retentionDays * 24 * Self.hour)),
            ]
        }
        return settings
    }

    /// How a setting should be, as text, where `found` is not good enough; nil where it is.
    func wanted(_ setting: TopicSetting, found: String) -> String? {
        switch setting.name {
        case "max.message.bytes", "min.insync.replicas":
            Self.isAtLeast(found, setting.value) ? nil : "\(setting.value) or more"
        case "retention.ms":
            Self.isAtLeast(found, setting.value) || found == "-1"
                ? nil : "\(setting.value) (\(spec.retentionDays) days) or more"
        case "cleanup.policy", "unclean.leader.election.enable":
            found == setting.value ? nil : setting.value
        // The rest is how soon compaction comes: others may choose.
        default: nil
        }
    }

    private static let hour = 3_600_000

    private static func isAtLeast(_ found: String, _ wanted: String) -> Bool {
        guard let found = Int64(found), let wanted = Int64(wanted) else { return false }
        return found >= wanted
    }
}
