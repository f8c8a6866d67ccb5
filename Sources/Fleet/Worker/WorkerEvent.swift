// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
package import Conversion
package import TaskLog

/// A run of a task on one worker, by a number that the worker gives.
package typealias RunNumber = UInt64

/// What a worker is told.
package enum WorkerEvent: Sendable {
    /// These partitions of `tasks` are ours from now on.
    case assigned([LogPosition])
    /// These partitions are someone else's.
    case revoked([PartitionID])
    /// A task came.
    case task(TaskMessage, PartitionID, offset: Int64)
    /// A record of `tasks` came that cannot be read.
    case unreadable(DeadLetter, PartitionID, offset: Int64)
    /// A control record came.
    case control(ControlRecord)
    /// A running step asks for a place in the target.
    case sized(RunNumber, SpaceRequest)
    /// A running step has done so many bytes in all; as long as it works the number of its signs grows, even where that of bytes
    /// does not.
    case progress(RunNumber, UInt64, signs: UInt64)
    /// A running step has ended; the body is an outcome.
    case ended(RunNumber, ResultMessage.Body)
    /// What was published with this token is durable, or was refused.
    case delivered(token: UInt64, isDurable: Bool)
    /// The log will never take what was published with this token: it is too large, say.
    case refused(token: UInt64, DrayError)
    /// The worker is to leave.
    case drain
    /// Time has passed, or a batch of other events is through.
    case tick
}

/// What a worker wants done, in this order.
package enum WorkerAction: Sendable {
    /// Run a step on a free slot. From `until` on it is to make nothing any more, but to stop.
    case begin(RunNumber, TaskMessage, until: Milliseconds)
    /// A running step may go on until then.
    case renew(RunNumber, until: Milliseconds)
    /// Tell a running step its place in the target.
    case place(RunNumber, HostOffset)
    /// Tell a running step to stop at the next chunk.
    case stop(RunNumber)
    /// Publish a report, then tell ``WorkerEvent/delivered(token:isDurable:)``.
    case publish(ResultMessage, token: UInt64)
    /// Publish a dead letter, then tell ``WorkerEvent/delivered(token:isDurable:)``.
    case deadLetter(DeadLetter, token: UInt64)
    /// Commit these places.
    case commit([LogPosition])
    /// Nothing is left: the worker may leave.
    case drained
}
