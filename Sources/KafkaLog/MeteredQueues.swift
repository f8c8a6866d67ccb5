// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import CRdKafka
internal import TaskLog

/// The queues of the metered partitions that a member has, taken from by turns: topics by their shares, partitions one
/// after the other.
struct MeteredQueues {
    private struct Topic {
        let share: Int
        var turn = 0
        var queues: [KafkaQueue] = []
        var next = 0
    }

    private let shares: [String: Int]
    private var topics: [String: Topic] = [:]

    init(shares: [String: Int]) { self.shares = shares }

    /// Gives a partition its queue. To be done after every assignment, which takes it away.
    mutating func add(_ partition: PartitionID, of handle: KafkaHandle, _ signal: EventSignal) {
        let name = handle.names.full(partition.topic)
        let number = Int32(clamping: partition.partition)
        guard let raw = unsafe rd_kafka_queue_get_partition(handle.raw, name, number) else {
            return
        }
        let queue = unsafe KafkaQueue(raw, handle.names)
        unsafe rd_kafka_queue_forward(queue.raw, nil)
        queue.raise(signal)
        let share = max(1, shares[partition.topic] ?? 1)
        topics[partition.topic, default: Topic(share: share)].queues.append(queue)
    }

    /// Lets go of all queues: before an assignment ends.
    mutating func clear() {
        for queue in topics.values.flatMap(\.queues) { queue.unsignal() }
        topics = [:]
    }

    /// The next event in turn. Where a topic has nothing, the others get its share.
    mutating func next() -> KafkaEvent? {
        var candidates = topics.filter { !$0.value.queues.isEmpty }.map(\.key)
        while !candidates.isEmpty {
            var total = 0
            var chosen = candidates[0]
            for name in candidates {
                let share = topics[name]?.share ?? 0
                topics[name]?.turn += share
                total += share
                if (topics[name]?.turn ?? 0) > (topics[chosen]?.turn ?? 0) { chosen = name }
            }
            if let event = next(of: chosen) {
                topics[chosen]?.turn -= total
                return event
            }
            // Nobody saves up turns for later.
            for name in candidates { topics[name]?.turn = 0 }
            candidates.removeAll { $0 == chosen }
        }
        return nil
    }

    private mutating func next(of name: String) -> KafkaEvent? {
        guard let topic = topics[name] else { return nil }
        for step in 0..<topic.queues.count {
            let index = (topic.next + step) % topic.queues.count
            if let event = topic.queues[index].next() {
                topics[name]?.next = (index + 1) % topic.queues.count
                return event
            }
        }
        return nil
    }
}
