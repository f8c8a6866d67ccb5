// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import TaskLog

/// A partition of the job topics that a coordinator owns, with how far it was told of it.
struct OwnedPartition {
    /// The records of one topic: those before `end` are read from the log, those from there on come live.
    struct Reading {
        /// The first offset that was not told.
        var next: Int64
        /// Where the past ends; nil until the log has said so.
        var end: Int64?

        /// Whether everything of the past was told.
        var isWhole: Bool { end.map { next >= $0 } ?? false }

        /// Whether a record that comes live is to be told now. As long as the past is being read it is part of that: it is read in its turn.
        mutating func isNews(_ offset: Int64) -> Bool {
            guard offset >= next else { return false }
            guard isWhole else {
                if let end { self.end = max(end, offset + 1) }
                return false
            }
            next = offset + 1
            end = next
            return true
        }
    }

    /// Where results are needed from: as the group had committed, or as was last committed here.
    let floor: Int64
    var jobs = Reading(next: 0)
    var results: Reading
    /// Whether the past was told.
    var isTaken = false
    /// When the past is read on: later where the log could not be read.
    var readAt = Milliseconds.min
    /// How often the log could not be read.
    var failures = 0
    /// Requests that wait for the past to be told.
    var postponed: [(CoordinatorEvent, LogRecord)] = []
    /// The offset behind the last request that was told.
    var requests: Int64?

    init(floor: Int64) {
        self.floor = floor
        results = Reading(next: floor)
    }
}
