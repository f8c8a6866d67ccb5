// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import TaskLog

/// The half of a port that reads partitions on its own, in nobody's group.
final class PartitionFollower {
    private let handle: KafkaHandle
    private var queue: KafkaQueue?
    private let lines: KafkaLines

    /// Begins at `places`; what was removed there is left out. Reading is in a group's name only because librdkafka asks for one.
    init(
        _ places: [LogPosition],
        group: String,
        _ settings: KafkaSettings,
        _ signal: EventSignal,
        _ lines: KafkaLines
    ) throws(DrayError) {
        handle = try KafkaHandle(
            .consumer(group: group, isSilent: false),
            settings,
            [
                ("auto.offset.reset", "earliest"), ("fetch.wait.max.ms", "100"),
                ("queued.max.messages.kbytes", "8192"),
            ]
        )
        self.lines = lines
        queue = handle.queue(isConsumer: true)
        queue?.raise(signal)
        do throws(KafkaFailure) {
            try handle.assign(places)
        } catch {
            close()
            throw error.error("cannot follow topics")
        }
    }

    /// What has come, at most about `limit` records.
    func take(limit: Int) throws(DrayError) -> [LogEvent] {
        var events: [LogEvent] = []
        while events.count < limit, let event = queue?.next() {
            switch event {
            case .record(let record): events.append(.record(record))
            case .log(let level, let text): lines.add(level, text)
            case .failed(let failure, let partition, let isFatal):
                let place =
                    partition.map { "\(handle.names.full($0.topic))/\($0.partition): " } ?? ""
                if isFatal || failure.code.isRefusal {
                    throw (handle.fatalError ?? failure).error("\(place)cannot follow topics")
                }
                lines.add(4, "follower: \(place)\(failure.text)")
            default: break
            }
        }
        return events
    }

    func close() {
        do throws(KafkaFailure) {
            try handle.unassign()
        } catch {
            lines.add(4, "follower: \(error.text)")
        }
        queue?.unsignal()
        while queue?.next() != nil {}
        queue = nil
        handle.end(limitMilliseconds: 3000)
    }
}
