// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// Lends buffers of one size. A buffer that is taken belongs to the taker alone; what is given back stays for use again as long as the
/// process has room for it.
///
/// A pool does not wait: how many buffers exist is bounded by how many threads ask, each for a fixed number.
package final class BufferPool: Sendable {
    /// The size of each buffer, in bytes.
    package let bufferSize: Int
    private let budget: MemoryBudget

    /// A pool whose idle buffers are those of `budget`; buffers are allocated when first asked for.
    package init(bufferSize: Int, budget: MemoryBudget = .process) {
        self.bufferSize = bufferSize
        self.budget = budget
    }

    /// Lends a buffer for the duration of `body`.
    package func withBuffer<R, E: Error>(_ body: (AlignedBuffer) throws(E) -> R) throws(E) -> R {
        let buffer = take()
        defer { give(buffer) }
        return try body(buffer)
    }

    /// Takes a buffer out. Give it back with ``give(_:)``; one that is not is freed by its last owner.
    package func take() -> AlignedBuffer {
        budget.reuse(bufferSize) ?? AlignedBuffer(count: bufferSize)
    }

    /// Gives a buffer back.
    package func give(_ buffer: AlignedBuffer) {
        precondition(buffer.count == bufferSize, "the buffer is another pool's")
        budget.keepIdle(buffer)
    }
}
