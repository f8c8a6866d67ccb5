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

    /// A run of at most so many records is a short one.
    static let shortRun: Int64 = 64
    /// Whether the reader fetches little at a time.
    let isShort: Bool

    init(_ settings: KafkaSettings, isShort: Bool) throws(DrayError) {
        self.isShort = isShort
        handle = try KafkaHandle(
            .consumer(group: "readers", isSilent: true),
            settings,
            [
                ("auto.offset.reset", "earliest"), ("enable.partition.eof", "true"),
                // What is read is there already, or never comes.
                ("fetch.wait.max.ms", "1"),
                ("fetch.message.max.bytes", isShort ? "131072" : "1048576"),
                ("queued.max.messages.kbytes", isShort ? "1024" : "4096"),
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
        try begin(partition, start)
        var position = start
        var lastNews = LogClock.monotonicMilliseconds()
        var trouble: KafkaFailure?
        var wait = Self.shortestWait
        while position < end {
            switch queue?.next(milliseconds: wait) {
            case .record(let record) where record.source == partition && record.offset >= position:
                guard record.offset < end else { return }
                try body(record)
                position = record.offset + 1
                lastNews = LogClock.monotonicMilliseconds()
                wait = Self.shortestWait
            case .end(partition, let offset) where offset >= position:
                // A broker that has just become the leader may not know the whole log yet.
                if offset >= end { return }
                if offset >= (try endOfLog()) { return }
            case .failed(let failure, _, _): trouble = failure
            case nil:
                // Its queue was full once, librdkafka looks again after a second only. Beginning anew makes it look at once.
                wait = min(wait * 2, 1000)
                try begin(partition, position)
            default: break
            }
            guard LogClock.monotonicMilliseconds() - lastNews < patience else {
                isUsable = false
                let what = "cannot read \(partition.topic)/\(partition.partition) at \(position)"
                throw (trouble ?? KafkaFailure(.timedOut)).error(what)
            }
        }
    }

    private func begin(_ partition: PartitionID, _ offset: Int64) throws(DrayError) {
        do throws(KafkaFailure) {
            try handle.assign([LogPosition(partition, offset: offset)])
        } catch {
            isUsable = false
            throw error.error("cannot read \(partition.topic)/\(partition.partition)")
        }
    }

    /// How long to wait for the first record before asking again, in milliseconds.
    private static let shortestWait = 20

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
