// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import Conversion
import Fleet
import TaskLog
import Testing

struct FleetClientTests {
    /// A log that keeps every record, as Kafka does until it compacts.
    private let log: EmbeddedLog
    private let topics = Topics()

    init() throws {
        let specs = topics.specs.map { spec in
            TopicSpec(
                spec.name,
                partitions: spec.partitions,
                policy: .kept,
                isJournaled: false
            )
        }
        log = try EmbeddedLog(topics: specs)
    }

    private func record(_ id: String, _ state: JobRecord.State) -> NewRecord {
        let order = JobOrder(id: id, spec: JobSpec(kind: .checksum, sources: []))
        var record = JobRecord(Submission(order))
        record.state = state
        let codec = MessageCodec(source: "test")
        return codec.record(.job(record), to: PartitionID(Topics.jobs, 0), wallMilliseconds: 0)
    }

    private func removal(_ id: String) -> NewRecord {
        let jobs = PartitionID(Topics.jobs, 0)
        return NewRecord(jobs, key: Array(id.utf8), headers: [], value: nil)
    }

    @Test("a job whose record was removed is not there, though the log still holds it")
    func removedJob() throws {
        let port = try log.open(LogSubscription(group: "test"))
        defer { port.close() }
        for record in [
            record("a", .finished), record("b", .failed), removal("a"), removal("b"),
            record("b", .running),
        ] {
            port.produce(record, token: 1)
        }
        let client = try FleetClient(log: log)
        #expect(try client.jobs().map(\.content.order.id) == ["b"])
        #expect(try client.job("a")?.content.state == nil)
        #expect(try client.job("b")?.content.state == .running)
        // Its old end is not told to one who submits it anew: only what comes from now on is.
        let follower = try client.follower(ofNew: ["a"], named: ["a"], events: false)
        #expect(try follower.next(timeoutMilliseconds: 10).isEmpty)
    }
}
