// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import TaskLog

/// The topics of a fleet (without its prefix) and where a job's records go in them.
package struct Topics: Sendable, Hashable {
    /// What clients ask for: submit, cancel.
    package static let requests = "requests"
    /// The jobs' records.
    package static let jobs = "jobs"
    /// Steps to be done, of jobs of a class.
    package static func tasks(_ priority: JobPriority) -> String {
        switch priority {
        case .high: "tasks.high"
        case .normal: "tasks.normal"
        case .bulk: "tasks.bulk"
        }
    }
    /// The topics of steps with the classes' shares.
    package static let taskShares = Dictionary(
        uniqueKeysWithValues: JobPriority.allCases.map { (tasks($0), $0.share) }
    )
    /// What workers report.
    package static let results = "results"
    /// What every worker must know of running jobs.
    package static let control = "control"
    /// What others consume.
    package static let events = "events"
    /// What could not be done.
    package static let deadLetters = "deadletters"

    /// The topics of which the last record of each key stays. A record without a value removes the key.
    package static let compacted: Set<String> = [jobs, control]

    /// How many partitions `requests`, `jobs`, `results` and `events` have. Frozen by the hash of job ids.
    package let jobPartitions: Int
    /// How many partitions each of the topics of tasks has.
    package let taskPartitions: Int

    /// Describes a fleet's topics; one partition each suits a single process.
    package init(jobPartitions: Int = 1, taskPartitions: Int = 1) {
        self.jobPartitions = jobPartitions
        self.taskPartitions = taskPartitions
    }

    /// Every topic. A journal keeps the jobs' records and the results: all else follows from them.
    package var specs: [TopicSpec] {
        [
            spec(Self.requests, jobPartitions, .consumed, isJournaled: false),
            spec(Self.jobs, jobPartitions, .compacted, isJournaled: true),
            // At least twice the longest job: they are what a job is rebuilt from.
            spec(Self.results, jobPartitions, .consumed, isJournaled: true, days: 14),
            spec(Self.control, 1, .compacted, isJournaled: false),
            spec(Self.events, jobPartitions, .outgoing, isJournaled: false),
            spec(Self.deadLetters, 1, .kept, isJournaled: true, days: 30),
        ]
            + JobPriority.allCases.map {
                spec(Self.tasks($0), taskPartitions, .consumed, isJournaled: false)
            }
    }

    /// The partition of a job's records: FNV-1a of the id, so that it depends on no client library.
    package func partition(ofJob id: String) -> Int {
        Int(StableHash.of(id) % UInt64(jobPartitions))
    }

    private func spec(
        _ name: String,
        _ partitions: Int,
        _ policy: TopicSpec.Policy,
        isJournaled: Bool,
        days: Int = 7
    ) -> TopicSpec {
        TopicSpec(
            name,
            partitions: partitions,
            policy: policy,
            isJournaled: isJournaled,
            retentionDays: days
        )
    }
}

/// FNV-1a with 64 bits: the same in every process and version.
package enum StableHash {
    /// The hash of a text's UTF-8.
    package static func of(_ text: String) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        return hash
    }
}
