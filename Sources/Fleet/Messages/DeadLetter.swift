// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
internal import FoundationEssentials
package import TaskLog

/// What could not be done, for a person to look at: a record of `deadletters`.
package struct DeadLetter: Sendable, Hashable, Codable {
    /// The task that was given up, where it could be read.
    package let task: TaskMessage?
    /// How often it was tried.
    package let attempts: Int
    /// How often it began without an end.
    package let unendedStarts: Int
    /// Why it was given up.
    package let error: DrayError
    /// The topic of the record that could not be read, with its partition and offset.
    package let source: String?
    /// The first bytes of the record that could not be read, at most 4096, as base64.
    package let content: String?

    /// Makes a letter about a task.
    package init(task: TaskMessage, attempts: Int, unendedStarts: Int, error: DrayError) {
        self.task = task
        self.attempts = attempts
        self.unendedStarts = unendedStarts
        self.error = error
        source = nil
        content = nil
    }

    /// Makes a letter about a record that cannot be read.
    package init(_ record: LogRecord, _ error: DrayError) {
        task = nil
        attempts = 0
        unendedStarts = 0
        self.error = error
        source = "\(record.topic)/\(record.partition)/\(record.offset)"
        content = Data((record.value ?? []).prefix(4096)).base64EncodedString()
    }
}
