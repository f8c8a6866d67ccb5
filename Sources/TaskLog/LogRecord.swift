// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// A record as a consumer gets it.
package struct LogRecord: Sendable {
    /// The topic, without the fleet's prefix.
    package let topic: String
    /// The partition, from 0.
    package let partition: Int
    /// The record's place in its partition. Offsets grow, and may have gaps.
    package let offset: Int64
    /// What compaction and consumers know the record by.
    package let key: [UInt8]?
    /// The headers and the value.
    package let content: RecordContent
    /// When it was produced: milliseconds since 1970.
    package let timestamp: Int64

    /// Names a record.
    package init(
        topic: String,
        partition: Int,
        offset: Int64,
        key: [UInt8]?,
        headers: [LogHeader],
        value: [UInt8]?,
        timestamp: Int64
    ) {
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.key = key
        content = .bytes(headers: headers, value: value)
        self.timestamp = timestamp
    }

    /// Names the place that `new` has been given.
    init(_ new: NewRecord, offset: Int64, timestamp: Int64) {
        topic = new.target.topic
        partition = new.target.partition
        self.offset = offset
        key = new.key
        content = new.content
        self.timestamp = timestamp
    }

    /// The headers, in order.
    package var headers: [LogHeader] { content.headers }
    /// The value; nil says that the key is gone (a tombstone of a compacted topic).
    package var value: [UInt8]? { content.value }

    /// The partition that the record is in.
    package var source: PartitionID { PartitionID(topic, partition) }
}

/// A header of a record.
package struct LogHeader: Sendable, Hashable {
    /// The name, ASCII.
    package let name: String
    /// The value.
    package let value: [UInt8]

    /// Makes a header.
    package init(_ name: String, _ value: [UInt8]) {
        self.name = name
        self.value = value
    }

    /// Makes a header of text.
    package init(_ name: String, _ text: String) {
        self.init(name, [UInt8](text.utf8))
    }
}

/// A record to be produced. The partition is always explicit: it never depends on a client library's hash.
package struct NewRecord: Sendable {
    /// Where to.
    package let target: PartitionID
    /// What compaction and consumers know the record by.
    package let key: [UInt8]?
    /// The headers and the value.
    package let content: RecordContent

    /// Makes a record of bytes; a nil value makes a tombstone.
    package init(_ target: PartitionID, key: [UInt8]?, headers: [LogHeader], value: [UInt8]?) {
        self.init(target, key: key, content: .bytes(headers: headers, value: value))
    }

    /// Makes a record.
    package init(_ target: PartitionID, key: [UInt8]?, content: RecordContent) {
        self.target = target
        self.key = key
        self.content = content
    }
}

/// A partition of a topic.
package struct PartitionID: Sendable, Hashable {
    /// The topic, without the fleet's prefix.
    package let topic: String
    /// The partition, from 0.
    package let partition: Int

    /// Names a partition.
    package init(_ topic: String, _ partition: Int) {
        self.topic = topic
        self.partition = partition
    }
}

/// A place in a partition that a group of consumers has reached.
package struct LogPosition: Sendable, Hashable {
    /// The partition.
    package let partition: PartitionID
    /// The offset of the first record that is not done.
    package let offset: Int64
    /// What the consumer wants to find again with it: text, under 4096 bytes, without NUL.
    package let metadata: String

    /// Names a place.
    package init(_ partition: PartitionID, offset: Int64, metadata: String = "") {
        self.partition = partition
        self.offset = offset
        self.metadata = metadata
    }
}
