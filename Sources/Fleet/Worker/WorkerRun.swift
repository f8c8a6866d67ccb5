// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Conversion
internal import TaskLog

/// A task as a worker keeps it, from when it comes to when its outcome is durable.
struct WorkerRun {
    /// How far a run is.
    enum Phase: Equatable {
        /// No slot is free.
        case waiting
        /// That it starts is being published.
        case announced
        /// A slot works on it.
        case running
        /// What it made is being removed, since its job has ended.
        case cleaning
        /// Its outcome is being published.
        case ended
    }

    /// Where a task came from. Several records may ask for the same run.
    struct Origin {
        let partition: PartitionID
        let offset: Int64
        /// Which assignment of the partition: what was taken under an earlier one is no longer ours to commit.
        let assignment: Int
    }

    let number: RunNumber
    var task: TaskMessage
    var origins: [Origin]
    var phase = Phase.waiting
    /// The report that is being published.
    var outgoing: ResultMessage?
    /// What the log calls it by.
    var token: UInt64?
    /// When `outgoing` is sent again, having been refused.
    var resendAt = Milliseconds.max
    /// The place that the range asked for, while it has none.
    var wanted: SpaceRequest?
    /// Since when it asks.
    var wantedSince = Milliseconds.max
    /// When its size is reported again.
    var askAgainAt = Milliseconds.max
    /// When it was last reported that it runs, whether the log has that or not yet.
    var reportedAt = Milliseconds.min
    /// When its progress may be reported next.
    var nextHeartbeat = Milliseconds.min
    /// The number of its signs of progress when that was last reported.
    var reportedSigns: UInt64?
    /// When it is handed back, not having begun.
    var waitsUntil = Milliseconds.max
    var isStopping = false
    /// What is published when the cleaning has ended.
    var outcome: ResultMessage.Body?
    /// How often the cleaning failed.
    var cleanings = 0

    init(number: RunNumber, task: TaskMessage, origins: [Origin]) {
        self.number = number
        self.task = task
        self.origins = origins
    }

    /// Whether it does nothing but wait for its place.
    var isParked: Bool { phase == .running && wanted != nil }

    /// Whether its outcome is one that no other attempt would change.
    var hasSucceeded: Bool {
        guard let result = outgoing, phase == .ended else { return false }
        switch result.body {
        case .failed, .cancelled: return false
        default: return result.isOutcome
        }
    }
}

/// What a worker knows of a job.
struct JobControl {
    var state: ControlRecord.State
    var epoch: Int
    var plan: String?
    var places: [Int: UInt64]
    var refused: Set<Int>
}
