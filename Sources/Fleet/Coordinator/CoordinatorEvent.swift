// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
package import TaskLog

/// What a coordinator is told.
package enum CoordinatorEvent: Sendable {
    /// A client asks for something.
    case request(RequestMessage)
    /// A client asks for a job with this id in a way that cannot be read.
    case refused(job: String, DrayError)
    /// A job's record was read: of a partition that is being taken over, or later as someone wrote it.
    case jobRecord(JobRecord)
    /// A worker reports; the offset is the report's place in the job's partition of `results`.
    case result(ResultMessage, offset: Int64)
    /// Partition `partition` is ours from now on: its jobs' records and its results from the committed floor follow,
    /// then ``rebuilt(partition:)``.
    case taken(partition: Int, from: Int64)
    /// Everything that was in the partition when it was taken has been told.
    case rebuilt(partition: Int)
    /// The partition is someone else's.
    case lost(partition: Int)
    /// A job's record with this state and epoch is durable.
    case recorded(job: String, JobRecord.State, epoch: Int)
    /// An event that asked for it is durable.
    case published(job: String, EventMark)
    /// Time has passed, or a batch of other events is through. Tasks and control records go out only here.
    case tick
}

/// Events whose delivery the coordinator waits for.
package enum EventMark: Sendable, Hashable {
    /// All ranges before this number.
    case ranges(Int)
    /// The job's end.
    case end
}

/// What a coordinator wants done, in this order.
package enum CoordinatorAction: Sendable {
    /// Put a task into this partition of the tasks of its class.
    case issue(TaskMessage, PartitionID)
    /// Write a job's record, then tell ``CoordinatorEvent/recorded(job:_:epoch:)``.
    case record(JobRecord)
    /// Write a control record.
    case control(ControlRecord)
    /// Publish an event; where there is a mark, tell ``CoordinatorEvent/published(job:_:)`` when it is durable.
    case event(EventMessage, EventMark?)
    /// Publish a dead letter.
    case deadLetter(DeadLetter)
    /// The job's plan is known; so many bytes of data were done before this coordinator had it.
    case planned(job: String, dataBytes: UInt64, done: UInt64)
    /// The job has ended: its record says how.
    case ended(JobRecord)
    /// The state of this partition may miss something: take it anew from the committed floor.
    case takeAgain(partition: Int)
}
