// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CRdKafka
internal import TaskLog

/// What came out of a queue of librdkafka, copied: the event itself is destroyed at once, as one that lives on would hang its
/// handle's end.
enum KafkaEvent {
    /// A record.
    case record(LogRecord)
    /// What became of records that were produced.
    case delivered([(token: UInt64, code: KafkaCode)])
    /// The group gives us these partitions.
    case assigned([PartitionID])
    /// The group takes these partitions back.
    case revoked([PartitionID])
    /// A commit was answered.
    case committed(KafkaCode, [(place: LogPosition, code: KafkaCode)])
    /// All records of a partition up to this offset were read.
    case end(PartitionID, Int64)
    /// Something is wrong; with a partition where one is named.
    case failed(KafkaFailure, PartitionID?, isFatal: Bool)
    /// librdkafka has something to say: a level of syslog(3), and the text.
    case log(Int, String)
    /// None of our business.
    case other
}

/// A queue of a handle. It must be gone before the handle ends.
@safe
final class KafkaQueue {
    let raw: OpaquePointer
    private let names: KafkaNames

    /// Takes over a reference to a queue.
    @unsafe
    init(_ raw: OpaquePointer, _ names: KafkaNames) {
        unsafe self.raw = raw
        self.names = names
    }

    deinit { unsafe rd_kafka_queue_destroy(raw) }

    /// Raises `signal` whenever the queue gets something while it is empty.
    func raise(_ signal: EventSignal) {
        var one: UInt64 = 1
        // The payload is copied.
        unsafe rd_kafka_queue_io_event_enable(
            raw,
            signal.descriptor,
            &one,
            MemoryLayout<UInt64>.size
        )
    }

    /// Lets go of the signal, and must be called before that ends: librdkafka's threads would write into whatever file gets its
    /// descriptor next.
    func unsignal() { unsafe rd_kafka_queue_io_event_enable(raw, -1, nil, 0) }

    /// The next event, nil where there is none within `milliseconds`.
    func next(milliseconds: Int = 0) -> KafkaEvent? {
        guard let event = unsafe rd_kafka_queue_poll(raw, Int32(clamping: milliseconds)) else {
            return nil
        }
        defer { unsafe rd_kafka_event_destroy(event) }
        return unsafe read(event)
    }

    private func read(_ event: OpaquePointer) -> KafkaEvent {
        switch unsafe rd_kafka_event_type(event) {
        case RD_KAFKA_EVENT_FETCH: unsafe record(event)
        case RD_KAFKA_EVENT_DR: unsafe .delivered(deliveries(event))
        case RD_KAFKA_EVENT_REBALANCE: unsafe rebalance(event)
        case RD_KAFKA_EVENT_OFFSET_COMMIT:
            unsafe .committed(KafkaCode(rd_kafka_event_error(event)), list(event))
        case RD_KAFKA_EVENT_ERROR: unsafe failure(event)
        case RD_KAFKA_EVENT_LOG: unsafe log(event)
        default: .other
        }
    }

    private func record(_ event: OpaquePointer) -> KafkaEvent {
        guard let message = unsafe rd_kafka_event_message_next(event) else { return .other }
        let code = unsafe KafkaCode(message.pointee.err)
        if code == .none { return unsafe .record(names.record(message)) }
        let partition = unsafe PartitionID(
            names.short(String(cString: rd_kafka_topic_name(message.pointee.rkt))),
            Int(message.pointee.partition)
        )
        return .failed(KafkaFailure(code), partition, isFatal: false)
    }

    private func deliveries(_ event: OpaquePointer) -> [(token: UInt64, code: KafkaCode)] {
        var deliveries: [(token: UInt64, code: KafkaCode)] = []
        while let message = unsafe rd_kafka_event_message_next(event) {
            let token = unsafe UInt64(UInt(bitPattern: message.pointee._private))
            deliveries.append((token, unsafe KafkaCode(message.pointee.err)))
        }
        return deliveries
    }

    private func rebalance(_ event: OpaquePointer) -> KafkaEvent {
        let partitions = unsafe list(event).map(\.place.partition)
        let isAssigned =
            unsafe rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS
        return isAssigned ? .assigned(partitions) : .revoked(partitions)
    }

    private func list(_ event: OpaquePointer) -> [(place: LogPosition, code: KafkaCode)] {
        guard let list = unsafe rd_kafka_event_topic_partition_list(event) else { return [] }
        return unsafe names.places(list)
    }

    private func failure(_ event: OpaquePointer) -> KafkaEvent {
        let code = unsafe KafkaCode(rd_kafka_event_error(event))
        let text = unsafe rd_kafka_event_error_string(event).map { unsafe String(cString: $0) }
        let isFatal = unsafe rd_kafka_event_error_is_fatal(event) != 0
        let failure = KafkaFailure(code, text)
        guard let item = unsafe rd_kafka_event_topic_partition(event) else {
            return .failed(failure, nil, isFatal: isFatal)
        }
        defer { unsafe rd_kafka_topic_partition_destroy(item) }
        let partition = unsafe names.partition(item.pointee)
        if code == .endOfPartition { return unsafe .end(partition, item.pointee.offset) }
        return .failed(failure, partition, isFatal: isFatal)
    }

    private func log(_ event: OpaquePointer) -> KafkaEvent {
        var facility: UnsafePointer<CChar>?
        var text: UnsafePointer<CChar>?
        var level: Int32 = 0
        guard unsafe rd_kafka_event_log(event, &facility, &text, &level) == 0,
            let facility = unsafe facility, let text = unsafe text
        else { return .other }
        return unsafe .log(Int(level), "\(String(cString: facility)): \(String(cString: text))")
    }
}

extension KafkaNames {
    /// A copy of a consumed message.
    func record(_ message: UnsafePointer<rd_kafka_message_t>) -> LogRecord {
        let it = unsafe message.pointee
        return unsafe LogRecord(
            topic: short(String(cString: rd_kafka_topic_name(it.rkt))),
            partition: Int(it.partition),
            offset: it.offset,
            key: it.key.map { unsafe Self.bytes($0, it.key_len) },
            headers: headers(message),
            value: it.payload.map { unsafe Self.bytes($0, it.len) },
            timestamp: max(0, rd_kafka_message_timestamp(message, nil))
        )
    }

    private func headers(_ message: UnsafePointer<rd_kafka_message_t>) -> [LogHeader] {
        var list: OpaquePointer?
        guard unsafe rd_kafka_message_headers(message, &list) == RD_KAFKA_RESP_ERR_NO_ERROR else {
            return []
        }
        var headers: [LogHeader] = []
        var name: UnsafePointer<CChar>?
        var value: UnsafeRawPointer?
        var size = 0
        while unsafe rd_kafka_header_get_all(list, headers.count, &name, &value, &size)
            == RD_KAFKA_RESP_ERR_NO_ERROR, let name = unsafe name
        {
            // A header without a value is as good as one with an empty one: nobody tells them apart.
            let bytes = unsafe value.map { unsafe Self.bytes($0, size) } ?? []
            unsafe headers.append(LogHeader(String(cString: name), bytes))
        }
        return headers
    }

    private static func bytes(_ start: UnsafeRawPointer, _ count: Int) -> [UInt8] {
        unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: count))
    }
}
