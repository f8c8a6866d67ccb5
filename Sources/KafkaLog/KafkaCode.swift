// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CRdKafka

/// An error code of librdkafka (negative) or of a broker. No enumeration: newer brokers send codes that are not in our header.
struct KafkaCode: Sendable, Hashable {
    let number: Int32

    init(_ code: rd_kafka_resp_err_t) { number = code.rawValue }

    static let none = KafkaCode(RD_KAFKA_RESP_ERR_NO_ERROR)
    static let endOfPartition = KafkaCode(RD_KAFKA_RESP_ERR__PARTITION_EOF)
    static let outOfRange = KafkaCode(RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET)
    static let encryption = KafkaCode(RD_KAFKA_RESP_ERR__SSL)
    static let allBrokersDown = KafkaCode(RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
    static let queueFull = KafkaCode(RD_KAFKA_RESP_ERR__QUEUE_FULL)
    static let timedOut = KafkaCode(RD_KAFKA_RESP_ERR__TIMED_OUT)
    static let authentication = KafkaCode(RD_KAFKA_RESP_ERR__AUTHENTICATION)
    static let metadataTooLarge = KafkaCode(RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE)
    static let unknownTopic: Set<KafkaCode> = [
        KafkaCode(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART),
        KafkaCode(RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC),
        KafkaCode(RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION),
    ]

    /// librdkafka's words for it.
    var text: String {
        unsafe String(cString: rd_kafka_err2str(rd_kafka_resp_err_t(rawValue: number)))
    }

    /// Whether the same request may succeed later without anybody's doing.
    var mayPass: Bool { Self.passing.contains(self) }

    /// Whether it says that the group goes on without us: what we know of it is from the past.
    var isFromThePast: Bool { Self.past.contains(self) }

    /// Whether a permission is missing.
    var isRefusal: Bool { Self.refusals.contains(self) }

    private static let passing: Set<KafkaCode> = Set(
        [
            RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR__TRANSPORT,
            RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, RD_KAFKA_RESP_ERR__RESOLVE,
            RD_KAFKA_RESP_ERR__WAIT_COORD, RD_KAFKA_RESP_ERR__IN_PROGRESS,
            RD_KAFKA_RESP_ERR__WAIT_CACHE, RD_KAFKA_RESP_ERR__SSL,
            RD_KAFKA_RESP_ERR__AUTHENTICATION, RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE,
            RD_KAFKA_RESP_ERR__RETRY, RD_KAFKA_RESP_ERR__BAD_MSG, RD_KAFKA_RESP_ERR__MSG_TIMED_OUT,
            RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
            RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE,
            RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION,
            RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
            RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
            RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, RD_KAFKA_RESP_ERR_NOT_CONTROLLER,
            RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH,
            RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH, RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE,
            RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT,
            RD_KAFKA_RESP_ERR_PREFERRED_LEADER_NOT_AVAILABLE,
            RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
            RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
        ].map { KafkaCode($0) }
    )

    private static let past: Set<KafkaCode> = Set(
        [
            RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID,
            RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, RD_KAFKA_RESP_ERR__NO_OFFSET,
            RD_KAFKA_RESP_ERR__DESTROY,
        ].map { KafkaCode($0) }
    )

    private static let refusals: Set<KafkaCode> = Set(
        [
            RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
            RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
            RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED,
            RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED,
        ].map { KafkaCode($0) }
    )
}

/// A call that failed: the code, and what librdkafka said about it where it said more.
struct KafkaFailure: Error, Sendable {
    let code: KafkaCode
    let text: String

    init(_ code: KafkaCode, _ text: String? = nil) {
        self.code = code
        self.text = text ?? code.text
    }

    init(_ code: rd_kafka_resp_err_t) { self.init(KafkaCode(code)) }

    /// As an error of ours. `what` is the deed that failed: "cannot join the group".
    func error(_ what: String) -> DrayError {
        DrayError(.resource, "\(what): \(text)")
    }
}
