// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// Memory that a range has of a ``MemoryBudget``, with one buffer. For one thread, which ends it.
package final class MemoryLoan {
    /// The buffer that is part of it.
    package let buffer: AlignedBuffer
    private let budget: MemoryBudget
    private var bytes: Int

    init(_ budget: MemoryBudget, bytes: Int, buffer: AlignedBuffer) {
        self.budget = budget
        self.bytes = bytes
        self.buffer = buffer
    }

    /// Gives back all but the buffer.
    package func keepBufferOnly() {
        budget.reduce(by: bytes - buffer.count)
        bytes = buffer.count
    }

    /// Gives back all of it.
    package func end() { budget.end(bytes, buffer) }
}
