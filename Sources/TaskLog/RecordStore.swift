// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO

/// Where a log that outlives its process keeps its records.
package protocol RecordStore: AnyObject, Sendable {
    /// Makes a batch of changes durable, all or none.
    func apply(_ changes: [StoreChange]) throws(DrayError)
    /// At most `limit` records of a partition from offset `start` to before `end`, in order.
    func records(
        of partition: PartitionID,
        from start: Int64,
        to end: Int64,
        limit: Int
    ) throws(DrayError) -> [LogRecord]
    /// The offset that the next record of a partition has to have.
    func end(of partition: PartitionID) throws(DrayError) -> Int64
    /// Where a group has committed to in a partition, if ever.
    func committed(_ group: String, _ partition: PartitionID) throws(DrayError) -> LogPosition?
    /// Lets go of the file. Nothing may be called afterwards.
    func close()
}

/// One change of a ``RecordStore``.
package enum StoreChange: Sendable {
    /// A record is new.
    case append(LogRecord)
    /// A record is new and makes older ones of its partition and key obsolete.
    case replace(LogRecord)
    /// A group has come this far.
    case commit(group: String, LogPosition)
}
