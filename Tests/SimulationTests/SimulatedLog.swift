// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import Fleet
import TaskLog

/// A log whose records are messages: appended for good, read by offset, with committed places.
final class SimulatedLog {
    private(set) var partitions: [PartitionID: [Message]] = [:]
    private var commits: [String: LogPosition] = [:]
    var onAppend: (PartitionID) -> Void = { _ in }

    func append(_ message: Message, to partition: PartitionID) {
        partitions[partition, default: []].append(message)
        onAppend(partition)
    }

    func end(_ partition: PartitionID) -> Int64 { Int64(partitions[partition]?.count ?? 0) }

    func records(_ partition: PartitionID, from start: Int64, limit: Int) -> ArraySlice<Message> {
        let all = partitions[partition] ?? []
        let first = Int(start)
        return first < all.count ? all[first..<min(all.count, first + limit)] : []
    }

    func commit(_ place: LogPosition) {
        commits["\(place.partition.topic)/\(place.partition.partition)"] = place
    }

    func committed(_ partition: PartitionID) -> LogPosition {
        commits["\(partition.topic)/\(partition.partition)"] ?? LogPosition(partition, offset: 0)
    }
}
