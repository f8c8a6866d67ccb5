// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

/// Everything of an ``EmbeddedLog`` that its lock protects.
struct EmbeddedLogState {
    /// How many records one `poll` returns at most of a partition.
    static let batchLimit = 256

    var partitions: [PartitionID: PartitionBuffer] = [:]
    var members: [Int: EmbeddedMember] = [:]
    /// Partitions whose records are in a store too.
    var stored: Set<PartitionID> = []
    var commits: [GroupPartition: LogPosition] = [:]
    var failure: DrayError?
    private var nextMember = 0

    mutating func add(_ member: EmbeddedMember) -> Int {
        nextMember += 1
        members[nextMember] = member
        return nextMember
    }

    mutating func append(_ new: NewRecord, _ timestamp: Int64, token: UInt64, from sender: Int) {
        // Only the numbers are taken out of the buffer: holding it would make the append below copy all of it.
        guard let end = partitions[new.target]?.end, let policy = partitions[new.target]?.policy
        else {
            let failure = DrayError(
                .bug,
                "no partition \(new.target.partition) of \(new.target.topic)"
            )
            report(.delivered(token: token, failure: failure), to: sender)
            return
        }
        let record = LogRecord(new, offset: end, timestamp: timestamp)
        _ = partitions[new.target]?.append(record)
        var isWanted = false
        for (id, member) in members where member.positions[new.target] != nil {
            isWanted = true
            if id != sender { member.wakeUp.raise() }
        }
        if !isWanted, policy == .outgoing {
            partitions[new.target]?.trim(below: record.offset + 1)
        }
        report(.delivered(token: token, failure: nil), to: sender)
    }

    /// What a member can have now. `gaps` are runs of records that are only in the store.
    mutating func take(
        _ id: Int,
        credits: Int
    ) -> (events: [LogEvent], gaps: [StoreGap], failure: DrayError?) {
        guard var member = members.removeValue(forKey: id) else { return ([], [], failure) }
        var events = member.events
        member.events = []
        var gaps: [StoreGap] = []
        var credits = credits
        for (partition, position) in member.positions {
            guard let buffer = partitions[partition] else { continue }
            let isMetered = member.metered[partition.topic] != nil
            let limit = min(Self.batchLimit, isMetered ? credits : Int.max)
            if position < buffer.base, limit > 0 {
                gaps.append(StoreGap(partition, position, buffer.base, limit))
                continue
            }
            var place = position
            var count = 0
            while count < limit, let record = buffer.next(from: place) {
                events.append(.record(record))
                place = record.offset + 1
                count += 1
            }
            if isMetered { credits -= count }
            member.positions[partition] = place
        }
        members[id] = member
        trimHandedOut(member.positions.keys)
        return (events, gaps, failure)
    }

    mutating func advance(_ id: Int, _ partition: PartitionID, to offset: Int64) {
        members[id]?.positions[partition] = offset
    }

    /// Notes a commit and says which group it was for.
    mutating func commit(_ positions: [LogPosition], from id: Int) -> String? {
        guard let group = members[id]?.group else { return nil }
        for place in positions {
            commits[GroupPartition(group, place.partition)] = place
            guard partitions[place.partition]?.policy == .consumed else { continue }
            partitions[place.partition]?.trim(below: place.offset)
        }
        return group
    }

    func wakeAll() {
        for member in members.values { member.wakeUp.raise() }
    }

    private mutating func report(_ event: LogEvent, to id: Int) {
        members[id]?.events.append(event)
        members[id]?.wakeUp.raise()
    }

    private mutating func trimHandedOut(_ touched: Dictionary<PartitionID, Int64>.Keys) {
        for partition in touched {
            let policy = partitions[partition]?.policy
            let isStored = stored.contains(partition) && policy == .consumed
            guard policy == .outgoing || isStored else { continue }
            let reached = members.values.compactMap { $0.positions[partition] }.min()
            if let reached { partitions[partition]?.trim(below: reached) }
        }
    }
}

/// A member of a group, as the log knows it.
struct EmbeddedMember {
    let group: String
    let metered: [String: Int]
    var positions: [PartitionID: Int64]
    var events: [LogEvent]
    let wakeUp: WakeUp
}

/// A group with a partition.
struct GroupPartition: Hashable {
    let group: String
    let partition: PartitionID

    init(_ group: String, _ partition: PartitionID) {
        self.group = group
        self.partition = partition
    }
}

/// A run of offsets whose records have left memory.
struct StoreGap {
    let partition: PartitionID
    let start: Int64
    let end: Int64
    let limit: Int

    init(_ partition: PartitionID, _ start: Int64, _ end: Int64, _ limit: Int) {
        self.partition = partition
        self.start = start
        self.end = end
        self.limit = limit
    }
}
