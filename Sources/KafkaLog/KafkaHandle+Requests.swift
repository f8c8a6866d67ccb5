// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import CRdKafka
internal import TaskLog

/// A topic as one handle knows it. It must be gone before the handle ends.
@safe
final class KafkaTopic {
    let raw: OpaquePointer
    let name: String

    /// Names a topic; `properties` hold for it alone, on this handle.
    init(_ name: String, of handle: KafkaHandle, _ properties: [(String, String)] = []) {
        let configuration = properties.isEmpty ? nil : unsafe rd_kafka_topic_conf_new()
        for (name, value) in properties {
            let result = unsafe rd_kafka_topic_conf_set(configuration, name, value, nil, 0)
            precondition(result == RD_KAFKA_CONF_OK, "librdkafka knows the property \(name)")
        }
        let full = handle.names.full(name)
        guard let raw = unsafe rd_kafka_topic_new(handle.raw, full, configuration) else {
            preconditionFailure("librdkafka takes the name of a topic: \(full)")
        }
        unsafe self.raw = raw
        self.name = name
    }

    deinit { unsafe rd_kafka_topic_destroy(raw) }
}

/// What the brokers say about themselves and topics.
struct ClusterMetadata {
    /// A topic.
    struct Topic {
        /// For each partition, how many replicas it has.
        var replicas: [Int]
        /// Whether every partition has a leader.
        var isLed: Bool
        var code: KafkaCode
    }

    var brokers: Int
    /// By the names that the brokers have for them.
    var topics: [String: Topic]
}

extension KafkaHandle {
    /// Asks about a topic, or about the brokers alone. Waits.
    func metadata(
        of topic: KafkaTopic?,
        milliseconds: Int
    ) throws(KafkaFailure) -> ClusterMetadata {
        var answer: UnsafePointer<rd_kafka_metadata>?
        let code = unsafe rd_kafka_metadata(
            raw,
            0,
            topic?.raw,
            &answer,
            Int32(clamping: milliseconds)
        )
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR, let answer = unsafe answer else {
            throw KafkaFailure(code)
        }
        defer { unsafe rd_kafka_metadata_destroy(answer) }
        var topics: [String: ClusterMetadata.Topic] = [:]
        for index in 0..<Int(unsafe answer.pointee.topic_cnt) {
            let topic = unsafe answer.pointee.topics[index]
            unsafe topics[String(cString: topic.topic)] = Self.describe(topic)
        }
        return ClusterMetadata(brokers: Int(unsafe answer.pointee.broker_cnt), topics: topics)
    }

    private static func describe(_ topic: rd_kafka_metadata_topic) -> ClusterMetadata.Topic {
        var described = ClusterMetadata.Topic(
            replicas: [],
            isLed: true,
            code: unsafe KafkaCode(topic.err)
        )
        for index in 0..<Int(unsafe topic.partition_cnt) {
            let partition = unsafe topic.partitions[index]
            described.replicas.append(Int(unsafe partition.replica_cnt))
            if unsafe partition.leader < 0 { described.isLed = false }
        }
        return described
    }

    /// Where groups left partitions: the offset is negative where they did not. Waits.
    func committed(
        _ partitions: [PartitionID],
        milliseconds: Int
    ) throws(KafkaFailure) -> [LogPosition] {
        let asked = partitions.map { LogPosition($0, offset: 0) }
        return try unsafe names.withList(of: asked) { list throws(KafkaFailure) in
            let code = unsafe rd_kafka_committed(raw, list, Int32(clamping: milliseconds))
            return try unsafe answered(code, list)
        }
    }

    /// The first offsets at or after times; -2 asks for a partition's start, -1 for its end, as in Kafka's protocol. The
    /// answer for a time after the last record is negative. Waits.
    func offsets(
        _ asked: [(partition: PartitionID, time: Int64)],
        milliseconds: Int
    ) throws(KafkaFailure) -> [LogPosition] {
        let asked = asked.map { LogPosition($0.partition, offset: $0.time) }
        return try unsafe names.withList(of: asked) { list throws(KafkaFailure) in
            let code = unsafe rd_kafka_offsets_for_times(raw, list, Int32(clamping: milliseconds))
            return try unsafe answered(code, list)
        }
    }

    private func answered(
        _ code: rd_kafka_resp_err_t,
        _ list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>
    ) throws(KafkaFailure) -> [LogPosition] {
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaFailure(code) }
        let answers = unsafe names.places(list)
        if let failed = answers.first(where: { $0.code != .none }) {
            throw KafkaFailure(failed.code)
        }
        return answers.map(\.place)
    }

    /// Reads from these places on, and nothing else. Accepts what the group gives, be it nothing.
    func assign(_ places: [LogPosition]) throws(KafkaFailure) {
        try unsafe names.withList(of: places) { list throws(KafkaFailure) in
            let code = unsafe rd_kafka_assign(raw, list)
            guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaFailure(code) }
        }
    }

    /// Reads nothing any more. Gives the group its partitions back.
    func unassign() throws(KafkaFailure) {
        let code = unsafe rd_kafka_assign(raw, nil)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaFailure(code) }
    }

    /// Joins the group, to share these topics.
    func subscribe(_ topics: [String]) throws(KafkaFailure) {
        let asked = topics.map { LogPosition(PartitionID($0, -1), offset: 0) }
        try unsafe names.withList(of: asked) { list throws(KafkaFailure) in
            let code = unsafe rd_kafka_subscribe(raw, list)
            guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaFailure(code) }
        }
    }

    /// Commits for the group; the answer comes from `queue`.
    func commit(_ places: [LogPosition], to queue: KafkaQueue) throws(KafkaFailure) {
        try unsafe names.withList(of: places) { list throws(KafkaFailure) in
            let code = unsafe rd_kafka_commit_queue(raw, list, queue.raw, nil, nil)
            guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaFailure(code) }
        }
    }
}
