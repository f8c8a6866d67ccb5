// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Synchronization

/// The thread that makes records durable, many at a time, before anyone sees them.
final class StoreWriter: Sendable {
    private struct Queue {
        var records: [PendingRecord] = []
        var commits: [StoreChange] = []
        var isStopping = false
    }

    private let store: any RecordStore
    private let queue = Mutex(Queue())
    private let wakeUp = WakeUp()
    private let thread = Mutex<OwnThread?>(nil)

    init(store: any RecordStore) { self.store = store }

    /// Starts the thread; `publish` is called on it after each batch, with the failure that ended it where there was one.
    func start(
        _ publish: @escaping @Sendable ([PendingRecord], DrayError?) -> Void
    ) throws(DrayError) {
        let started = try OwnThread { [self] in run(publish) }
        thread.withLock { $0 = started }
    }

    func add(_ record: PendingRecord) {
        queue.withLock { $0.records.append(record) }
        wakeUp.raise()
    }

    func add(group: String, _ place: LogPosition) {
        queue.withLock { $0.commits.append(.commit(group: group, place)) }
        wakeUp.raise()
    }

    /// Writes what is left and ends the thread.
    func stop() {
        queue.withLock { $0.isStopping = true }
        wakeUp.raise()
        thread.withLock { $0.take() }?.join()
    }

    private func run(_ publish: ([PendingRecord], DrayError?) -> Void) {
        var ends: [PartitionID: Int64] = [:]
        while true {
            let batch = queue.withLock { queue in
                defer { queue = Queue(isStopping: queue.isStopping) }
                return queue
            }
            if batch.records.isEmpty, batch.commits.isEmpty {
                if batch.isStopping { return }
                wakeUp.wait(milliseconds: 1000)
                continue
            }
            do throws(DrayError) {
                var changes: [StoreChange] = []
                for pending in batch.records {
                    changes.append(try change(for: pending, &ends))
                }
                try store.apply(changes + batch.commits)
                publish(batch.records, nil)
            } catch {
                return publish(batch.records, error)
            }
        }
    }

    private func change(
        for pending: PendingRecord,
        _ ends: inout [PartitionID: Int64]
    ) throws(DrayError) -> StoreChange {
        let new = pending.record
        let offset: Int64
        if let known = ends[new.target] {
            offset = known
        } else {
            offset = try store.end(of: new.target)
        }
        ends[new.target] = offset + 1
        let bytes = NewRecord(new.target, key: new.key, content: try new.content.encoded())
        let record = LogRecord(bytes, offset: offset, timestamp: pending.timestamp)
        return pending.isCompacted ? .replace(record) : .append(record)
    }
}

/// A record that is not durable yet.
struct PendingRecord: Sendable {
    let record: NewRecord
    let timestamp: Int64
    let token: UInt64
    let from: Int
    let isCompacted: Bool
}
