// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import CRdKafka
internal import Glibc
internal import TaskLog

/// What a fleet's topics and groups are called on the brokers: the prefix and our name.
struct KafkaNames: Sendable {
    let prefix: String

    /// The name on the brokers.
    func full(_ name: String) -> String { prefix + name }

    /// Our name for a topic of the brokers.
    func short(_ name: String) -> String {
        name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name
    }

    /// Our name for a partition in a list of librdkafka's.
    func partition(_ item: rd_kafka_topic_partition_t) -> PartitionID {
        unsafe PartitionID(short(String(cString: item.topic)), Int(item.partition))
    }

    /// Lends `places` as librdkafka's list, which is destroyed afterwards: a list that outlives its handle can hang its end.
    func withList<Result>(
        of places: [LogPosition],
        _ body: (UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) throws(KafkaFailure) ->
            Result
    ) throws(KafkaFailure) -> Result {
        guard let list = unsafe rd_kafka_topic_partition_list_new(Int32(clamping: places.count))
        else { preconditionFailure("librdkafka ran out of memory") }
        defer { unsafe rd_kafka_topic_partition_list_destroy(list) }
        for place in places {
            let item = unsafe rd_kafka_topic_partition_list_add(
                list,
                full(place.partition.topic),
                Int32(clamping: place.partition.partition)
            )
            guard let item = unsafe item else { continue }
            unsafe item.pointee.offset = place.offset
            guard !place.metadata.isEmpty else { continue }
            // The list's end frees the copy.
            unsafe item.pointee.metadata = UnsafeMutableRawPointer(strdup(place.metadata))
            unsafe item.pointee.metadata_size = place.metadata.utf8.count
        }
        return try unsafe body(list)
    }

    /// What librdkafka wrote into a list: for each partition the place, and the error.
    func places(
        _ list: UnsafePointer<rd_kafka_topic_partition_list_t>
    ) -> [(place: LogPosition, code: KafkaCode)] {
        (0..<Int(unsafe list.pointee.cnt)).map { index in
            let item = unsafe list.pointee.elems[index]
            var metadata = ""
            if let start = unsafe item.metadata, unsafe item.metadata_size > 0 {
                let bytes = unsafe UnsafeRawBufferPointer(
                    start: start,
                    count: item.metadata_size
                )
                metadata = unsafe String(decoding: bytes, as: UTF8.self)
            }
            let place = unsafe LogPosition(
                partition(item),
                offset: item.offset,
                metadata: metadata
            )
            return (place, unsafe KafkaCode(item.err))
        }
    }
}
