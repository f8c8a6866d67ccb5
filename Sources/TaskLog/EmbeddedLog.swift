// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
internal import Synchronization

/// A log inside one process: in memory, or with a ``RecordStore`` behind it that outlives the process.
///
/// Safe from any thread. A group has one member here, which gets every partition. What no one needs any more is
/// dropped from memory: see ``TopicSpec/Policy``; with a store, journaled records leave memory once they were handed out.
package final class EmbeddedLog: TaskLog {
    private let topics: [String: TopicSpec]
    private let store: (any RecordStore)?
    private let state: Mutex<EmbeddedLogState>
    private let writer: StoreWriter?

    /// Makes a log with these topics. With a store, it goes on from the store's records.
    package init(topics: [TopicSpec], store: (any RecordStore)? = nil) throws(DrayError) {
        self.topics = Dictionary(topics.map { ($0.name, $0) }) { first, _ in first }
        self.store = store
        var initial = EmbeddedLogState()
        for topic in topics {
            for number in 0..<topic.partitions {
                let id = PartitionID(topic.name, number)
                let end = topic.isJournaled ? try store?.end(of: id) ?? 0 : 0
                var buffer = PartitionBuffer(policy: topic.policy, base: end)
                if topic.policy == .compacted, topic.isJournaled, let store {
                    buffer = PartitionBuffer(policy: topic.policy, base: 0)
                    try Self.load(id, to: end, from: store) { record in _ = buffer.append(record) }
                }
                initial.partitions[id] = buffer
                if topic.isJournaled, store != nil { initial.stored.insert(id) }
            }
        }
        state = Mutex(initial)
        writer = store.map { StoreWriter(store: $0) }
        try writer?.start { [weak self] batch, failure in self?.published(batch, failure) }
    }

    /// Stops the writing thread, when all that was produced is durable, and lets go of the store. No port may be in use.
    package func close() {
        writer?.stop()
        store?.close()
    }

    package func partitionCount(of topic: String) throws(DrayError) -> Int {
        guard let spec = topics[topic] else { throw unknownTopic(topic) }
        return spec.partitions
    }

    package func end(of partition: PartitionID) throws(DrayError) -> Int64 {
        guard let end = state.withLock({ $0.partitions[partition]?.end }) else {
            throw unknownTopic(partition.topic)
        }
        return end
    }

    package func offset(of partition: PartitionID, atOrAfter time: Int64) throws(DrayError) -> Int64
    {
        // Of what is in memory only: with a store behind it a process has one job, whose records are all wanted.
        guard let buffer = state.withLock({ $0.partitions[partition] }) else {
            throw unknownTopic(partition.topic)
        }
        var place = buffer.base
        while let record = buffer.next(from: place), record.timestamp < time {
            place = record.offset + 1
        }
        return buffer.next(from: place)?.offset ?? buffer.end
    }

    package func open(_ subscription: LogSubscription) throws(DrayError) -> any LogPort {
        var positions: [PartitionID: Int64] = [:]
        var assigned: [LogPosition] = []
        for topic in subscription.shared {
            for partition in try partitions(of: topic) {
                let place = try position(subscription.group, partition)
                positions[partition] = place.offset
                assigned.append(place)
            }
        }
        for topic in subscription.tailed {
            for partition in try partitions(of: topic) { positions[partition] = 0 }
        }
        for place in subscription.followed {
            guard place.partition.partition < (try partitionCount(of: place.partition.topic)) else {
                throw unknownTopic(place.partition.topic)
            }
            positions[place.partition] = place.offset
        }
        let wakeUp = WakeUp()
        let member = EmbeddedMember(
            group: subscription.group,
            metered: subscription.metered,
            positions: positions,
            events: [.assigned(assigned)],
            wakeUp: wakeUp
        )
        let id = state.withLock { $0.add(member) }
        return EmbeddedPort(log: self, member: id, wakeUp: wakeUp)
    }

    package func read(
        _ partition: PartitionID,
        from start: Int64,
        to end: Int64,
        _ body: (LogRecord) throws(DrayError) -> Void
    ) throws(DrayError) {
        var position = start
        while let record = try next(partition, from: position), record.offset < end {
            for record in try batch(partition, from: position, to: end, first: record) {
                try body(record)
                position = record.offset + 1
            }
        }
    }

    /// Events for a member that are there now, or none.
    func take(_ member: Int, credits: Int) throws(DrayError) -> [LogEvent] {
        let taken = state.withLock { $0.take(member, credits: credits) }
        if let failure = taken.failure { throw failure }
        var events = taken.events
        for gap in taken.gaps {
            let records = try stored(gap.partition, from: gap.start, to: gap.end, limit: gap.limit)
            events += records.map { .record($0) }
            let reached = records.count < gap.limit ? gap.end : records[gap.limit - 1].offset + 1
            state.withLock { $0.advance(member, gap.partition, to: reached) }
        }
        return events
    }

    func produce(_ record: NewRecord, token: UInt64, from member: Int) {
        let journaled = writer != nil && topics[record.target.topic]?.isJournaled == true
        let timestamp = LogClock.wallMilliseconds()
        guard journaled else {
            return state.withLock { $0.append(record, timestamp, token: token, from: member) }
        }
        let pending = PendingRecord(
            record: record,
            timestamp: timestamp,
            token: token,
            from: member,
            isCompacted: topics[record.target.topic]?.policy == .compacted
        )
        writer?.add(pending)
    }

    func commit(_ positions: [LogPosition], from member: Int) {
        let group = state.withLock { $0.commit(positions, from: member) }
        guard let group, let writer else { return }
        for place in positions where topics[place.partition.topic]?.isJournaled == true {
            writer.add(group: group, place)
        }
    }

    func leave(_ member: Int) {
        state.withLock { $0.members[member] = nil }
    }

    private func unknownTopic(_ name: String) -> DrayError {
        DrayError(.invalid, "the log has no topic \"\(name)\"")
    }

    private func partitions(of topic: String) throws(DrayError) -> [PartitionID] {
        try (0..<partitionCount(of: topic)).map { PartitionID(topic, $0) }
    }

    private func position(
        _ group: String,
        _ partition: PartitionID
    ) throws(DrayError) -> LogPosition {
        if let place = state.withLock({ $0.commits[GroupPartition(group, partition)] }) {
            return place
        }
        if topics[partition.topic]?.isJournaled == true,
            let place = try store?.committed(group, partition)
        {
            return place
        }
        return LogPosition(partition, offset: 0)
    }

    private func next(
        _ partition: PartitionID,
        from start: Int64
    ) throws(DrayError) -> LogRecord? {
        let (record, base) = state.withLock {
            ($0.partitions[partition]?.next(from: start), $0.partitions[partition]?.base ?? 0)
        }
        guard start < base else { return record }
        return try stored(partition, from: start, to: base, limit: 1).first ?? record
    }

    private func batch(
        _ partition: PartitionID,
        from start: Int64,
        to end: Int64,
        first: LogRecord
    ) throws(DrayError) -> [LogRecord] {
        let limit = min(end, state.withLock { $0.partitions[partition]?.base ?? 0 })
        guard first.offset < limit else { return [first] }
        return try stored(partition, from: start, to: limit, limit: 256)
    }

    private func stored(
        _ partition: PartitionID,
        from start: Int64,
        to end: Int64,
        limit: Int
    ) throws(DrayError) -> [LogRecord] {
        guard let store, topics[partition.topic]?.isJournaled == true else { return [] }
        return try store.records(of: partition, from: start, to: end, limit: limit)
    }

    /// The writing thread has made a batch durable, or failed for good.
    private func published(_ batch: [PendingRecord], _ failure: DrayError?) {
        state.withLock { state in
            state.failure = state.failure ?? failure
            for pending in batch {
                guard failure == nil else { continue }
                state.append(
                    pending.record,
                    pending.timestamp,
                    token: pending.token,
                    from: pending.from
                )
            }
            if failure != nil { state.wakeAll() }
        }
    }

    private static func load(
        _ partition: PartitionID,
        to end: Int64,
        from store: any RecordStore,
        _ body: (LogRecord) -> Void
    ) throws(DrayError) {
        var position: Int64 = 0
        while true {
            let records = try store.records(of: partition, from: position, to: end, limit: 256)
            guard let last = records.last else { return }
            records.forEach(body)
            position = last.offset + 1
        }
    }
}
