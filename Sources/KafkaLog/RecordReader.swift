// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import TaskLog

/// A consumer that reads runs of one partition at a time, for one thread at a time.
final class RecordReader: @unchecked Sendable {
    // @unchecked: the pool hands it to one thread at a time.
    private let handle: KafkaHandle
    private var queue: KafkaQueue?
    private(set) var isUsable = true
    private(set) var restingSince: Int64 = 0

    init(_ settings: KafkaSettings) throws(DrayError) {
        handle = try KafkaHandle(
            .consumer(group: "readers", isSilent: true),
            settings,
            [
                ("auto.offset.reset", "earliest"), ("enable.partition.eof", "true"),
                ("fetch.wait.max.ms", "10"), ("queued.max.messages.kbytes", "8192"),
            ]
        )
        queue = handle.queue(isConsumer: true)
    }

    /// Reads from offset `start` to before `end`. What was removed at the start, or in between, is left out.
    func read(
        _ partition: PartitionID,
        from start: Int64,
        to end: Int64,
        patience: Int64,
        endOfLog: () throws(DrayError) -> Int64,
        _ body: (LogRecord) throws(DrayError) -> Void
    ) throws(DrayError) {
        do throws(KafkaFailure) {
            try handle.assign([LogPosition(partition, offset: start)])
        } catch {
            isUsable = false
            throw error.error("cannot read \(partition.topic)/\(partition.partition)")
        }
        var position = start
        var lastNews = LogClock.monotonicMilliseconds()
        var trouble: KafkaFailure?
        while position < end {
            switch queue?.next(milliseconds: 100) {
            case .record(let record) where record.source == partition && record.offset >= position:
                guard record.offset < end else { return }
                try body(record)
                position = record.offset + 1
                lastNews = LogClock.monotonicMilliseconds()
            case .end(partition, let offset) where offset >= position:
                // A broker that has just become the leader may not know the whole log yet.
                if offset >= end { return }
                if offset >= (try endOfLog()) { return }
            case .failed(let failure, _, _): trouble = failure
            default: break
            }
            guard LogClock.monotonicMilliseconds() - lastNews < patience else {
                isUsable = false
                let what = "cannot read \(partition.topic)/\(partition.partition) at \(position)"
                throw (trouble ?? KafkaFailure(.timedOut)).error(what)
            }
        }
    }

    /// Stops fetching.
    func rest() {
        do throws(KafkaFailure) {
            try handle.unassign()
        } catch {
            isUsable = false
        }
        forget()
        restingSince = LogClock.monotonicMilliseconds()
    }

    /// Drops what has come meanwhile.
    func forget() { while queue?.next() != nil {} }

    func close() {
        queue = nil
        handle.end(limitMilliseconds: 3000)
    }
}
