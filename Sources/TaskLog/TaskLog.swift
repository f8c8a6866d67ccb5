// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO

/// The ordered, durable record of topics and partitions, as the roles see it: embedded in one process, or Kafka.
///
/// Delivery is at least once: whoever reads must stand duplicates. Offsets are per partition.
package protocol TaskLog: AnyObject, Sendable {
    /// How many partitions a topic has. Fails with `invalid` where there is no such topic.
    func partitionCount(of topic: String) throws(DrayError) -> Int

    /// Joins as one member of a role. Whoever opens a port is its only user, but for ``LogPort/wake()``.
    func open(_ subscription: LogSubscription) throws(DrayError) -> any LogPort

    /// The offset that the next record of a partition will have: its present end.
    func end(of partition: PartitionID) throws(DrayError) -> Int64

    /// The offset of the first record of a partition that was produced at `time` (milliseconds since 1970) or later; the
    /// partition's end where there is none. Logs that keep no index of times may answer an earlier one.
    func offset(of partition: PartitionID, atOrAfter time: Int64) throws(DrayError) -> Int64

    /// Reads the records of a partition from offset `start` to before `end`, in order, on the calling thread,
    /// without joining anything. Records that the policy dropped are left out.
    func read(
        _ partition: PartitionID,
        from start: Int64,
        to end: Int64,
        _ body: (LogRecord) throws(DrayError) -> Void
    ) throws(DrayError)
}

/// What a role consumes.
package struct LogSubscription: Sendable {
    /// The consumer group that shares out `shared`'s partitions and commits offsets for them.
    package var group: String
    /// Topics whose partitions are shared out among the group's members.
    package var shared: [String]
    /// Whether one member gets the same partition numbers of every topic of `shared`, which then have equally many.
    package var isCopartitioned: Bool
    /// Of `shared`, the topics that are taken only against credits, with their shares where several have records.
    package var metered: [String: Int]
    /// Topics that this member reads whole, from their first record, on its own.
    package var tailed: [String]
    /// Partitions that this member reads from these places on, on its own.
    package var followed: [LogPosition]

    /// Describes what a role consumes.
    package init(
        group: String,
        shared: [String] = [],
        isCopartitioned: Bool = false,
        metered: [String: Int] = [:],
        tailed: [String] = [],
        followed: [LogPosition] = []
    ) {
        self.group = group
        self.shared = shared
        self.isCopartitioned = isCopartitioned
        self.metered = metered
        self.tailed = tailed
        self.followed = followed
    }
}

/// A role's hold on the log: everything it sends and receives passes through one thread's ``poll(timeoutMilliseconds:credits:)``.
///
/// The shape is that of an event queue of librdkafka: producing returns at once and its outcome comes as an event;
/// partitions come and go as events; commits are explicit.
package protocol LogPort: AnyObject, Sendable {
    /// Waits for events, at most `timeoutMilliseconds`, and returns those that are there (possibly none).
    /// No more than `credits` records of metered topics are among them. To be called at least once a second.
    /// Throws what ended the log for good.
    func poll(timeoutMilliseconds: Int, credits: Int) throws(DrayError) -> [LogEvent]

    /// Sends a record. The outcome comes as ``LogEvent/delivered(token:failure:)`` from `poll`. Records that one port sends
    /// to one partition keep their order: where one is given up, none that was sent after it may come through. A record that is too large
    /// is given up alone, with an error that is not `resource`.
    func produce(_ record: NewRecord, token: UInt64)

    /// Notes how far the group has come, asynchronously. A commit that is lost is made good by the next one.
    func commit(_ positions: [LogPosition])

    /// Makes a waiting `poll` return early. May be called from any thread.
    func wake()

    /// Leaves. Nothing may be called afterwards but `wake`.
    func close()
}

/// What `poll` reports.
package enum LogEvent: Sendable {
    /// A record of a consumed topic.
    case record(LogRecord)
    /// These partitions are this member's from now on, from the places where the group left them.
    case assigned([LogPosition])
    /// These partitions are someone else's now; `isLost` says that it may have been so for a while.
    case revoked([PartitionID], isLost: Bool)
    /// A record sent is durable (`failure` is nil) or was given up.
    case delivered(token: UInt64, failure: DrayError?)
}
