// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import CRdKafka
internal import TaskLog

/// What is asked of the cluster's administration. Each waits for its answer.
extension KafkaHandle {
    /// A topic to be made.
    struct TopicOrder {
        /// The name on the brokers.
        let name: String
        let partitions: Int
        let replicas: Int
        let settings: [TopicSetting]
    }

    /// Makes topics. For each that could not be made, says why; one that is there already counts as that.
    func create(
        _ orders: [TopicOrder],
        milliseconds: Int
    ) throws(KafkaFailure) -> [String: KafkaFailure] {
        var topics: [OpaquePointer?] = unsafe []
        defer {
            for index in unsafe topics.indices { unsafe rd_kafka_NewTopic_destroy(topics[index]) }
        }
        for order in orders { try unsafe topics.append(Self.makeTopic(order)) }
        let answer = unsafe try ask(RD_KAFKA_ADMIN_OP_CREATETOPICS, milliseconds) {
            options,
            queue in
            unsafe topics.withUnsafeMutableBufferPointer { list in
                unsafe rd_kafka_CreateTopics(raw, list.baseAddress, list.count, options, queue)
            }
        }
        defer { unsafe rd_kafka_event_destroy(answer) }
        var failures: [String: KafkaFailure] = [:]
        var count = 0
        let results = unsafe rd_kafka_CreateTopics_result_topics(
            rd_kafka_event_CreateTopics_result(answer),
            &count
        )
        for index in 0..<count {
            guard let result = unsafe results?[index] else { continue }
            let code = unsafe KafkaCode(rd_kafka_topic_result_error(result))
            guard code != .none else { continue }
            let text = unsafe rd_kafka_topic_result_error_string(result).map {
                unsafe String(cString: $0)
            }
            let name = unsafe String(cString: rd_kafka_topic_result_name(result))
            failures[name] = KafkaFailure(code, text)
        }
        return failures
    }

    /// The settings of topics, by the names on the brokers.
    func settings(
        ofTopics names: [String],
        milliseconds: Int
    ) throws(KafkaFailure) -> [String: [String: String]] {
        var resources: [OpaquePointer?] = unsafe names.map {
            unsafe rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, $0)
        }
        defer {
            for index in unsafe resources.indices {
                unsafe rd_kafka_ConfigResource_destroy(resources[index])
            }
        }
        let answer = unsafe try ask(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, milliseconds) {
            options,
            queue in
            unsafe resources.withUnsafeMutableBufferPointer { list in
                unsafe rd_kafka_DescribeConfigs(raw, list.baseAddress, list.count, options, queue)
            }
        }
        defer { unsafe rd_kafka_event_destroy(answer) }
        var settings: [String: [String: String]] = [:]
        var count = 0
        let results = unsafe rd_kafka_DescribeConfigs_result_resources(
            rd_kafka_event_DescribeConfigs_result(answer),
            &count
        )
        for index in 0..<count {
            guard let result = unsafe results?[index] else { continue }
            let code = unsafe KafkaCode(rd_kafka_ConfigResource_error(result))
            guard code == .none else { throw KafkaFailure(code) }
            let name = unsafe String(cString: rd_kafka_ConfigResource_name(result))
            settings[name] = unsafe Self.entries(result)
        }
        return settings
    }

    private static func entries(_ resource: OpaquePointer) -> [String: String] {
        var count = 0
        let entries = unsafe rd_kafka_ConfigResource_configs(resource, &count)
        var settings: [String: String] = [:]
        for index in 0..<count {
            guard let entry = unsafe entries?[index],
                let name = unsafe rd_kafka_ConfigEntry_name(entry),
                let value = unsafe rd_kafka_ConfigEntry_value(entry)
            else { continue }
            unsafe settings[String(cString: name)] = String(cString: value)
        }
        return settings
    }

    private static func makeTopic(_ order: TopicOrder) throws(KafkaFailure) -> OpaquePointer {
        var reason = [CChar](repeating: 0, count: 512)
        let topic = unsafe rd_kafka_NewTopic_new(
            order.name,
            Int32(clamping: order.partitions),
            Int32(clamping: order.replicas),
            &reason,
            reason.count
        )
        guard let topic = unsafe topic else {
            let code = KafkaCode(RD_KAFKA_RESP_ERR__INVALID_ARG)
            throw KafkaFailure(code, KafkaConfiguration.text(reason))
        }
        for setting in order.settings {
            unsafe rd_kafka_NewTopic_set_config(topic, setting.name, setting.value)
        }
        return unsafe topic
    }

    /// Sends a request and waits for the event that answers it, which the caller destroys.
    private func ask(
        _ operation: rd_kafka_admin_op_t,
        _ milliseconds: Int,
        _ send: (_ options: OpaquePointer?, _ queue: OpaquePointer?) -> Void
    ) throws(KafkaFailure) -> OpaquePointer {
        let queue = unsafe rd_kafka_queue_new(raw)
        defer { unsafe rd_kafka_queue_destroy(queue) }
        let options = unsafe rd_kafka_AdminOptions_new(raw, operation)
        defer { unsafe rd_kafka_AdminOptions_destroy(options) }
        let limit = Int32(clamping: milliseconds)
        unsafe rd_kafka_AdminOptions_set_request_timeout(options, limit, nil, 0)
        if operation == RD_KAFKA_ADMIN_OP_CREATETOPICS {
            unsafe rd_kafka_AdminOptions_set_operation_timeout(options, limit, nil, 0)
        }
        unsafe send(options, queue)
        // librdkafka answers within the time-out by itself; a little more, so that its reason is heard.
        guard let answer = unsafe rd_kafka_queue_poll(queue, limit + 2000) else {
            throw KafkaFailure(.timedOut)
        }
        let code = unsafe KafkaCode(rd_kafka_event_error(answer))
        guard code == .none else {
            defer { unsafe rd_kafka_event_destroy(answer) }
            let text = unsafe rd_kafka_event_error_string(answer).map { unsafe String(cString: $0) }
            throw KafkaFailure(code, text)
        }
        return unsafe answer
    }
}

/// A setting of a topic.
struct TopicSetting: Sendable {
    let name: String
    let value: String

    init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}
