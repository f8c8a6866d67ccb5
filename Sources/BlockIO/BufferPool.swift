// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Keeps buffers of one size for use again. A buffer that is taken belongs to the taker alone.
///
/// Without a limit the pool does not wait: how many buffers exist is bounded by how many threads ask, each for a fixed
/// number.
package final class BufferPool: Sendable {
    /// The size of each buffer, in bytes.
    package let bufferSize: Int
    private let idle = Mutex<[AlignedBuffer]>([])
    private let limit: CountingSemaphore?

    /// Makes an empty pool; buffers are allocated when first asked for. With a `limit`, at most so many are out at a time, and
    /// who wants another waits: then every taken buffer must be given back.
    package init(bufferSize: Int, limit: Int? = nil) {
        self.bufferSize = bufferSize
        self.limit = limit.map { CountingSemaphore(count: $0) }
    }

    /// Lends a buffer for the duration of `body`.
    package func withBuffer<R, E: Error>(_ body: (AlignedBuffer) throws(E) -> R) throws(E) -> R {
        let buffer = take()
        defer { give(buffer) }
        return try body(buffer)
    }

    /// Takes a buffer out. Give it back with ``give(_:)``; one that is not is freed by its last owner.
    package func take() -> AlignedBuffer {
        limit?.wait()
        return idle.withLock { $0.popLast() } ?? AlignedBuffer(count: bufferSize)
    }

    /// Gives a buffer back.
    package func give(_ buffer: AlignedBuffer) {
        precondition(buffer.count == bufferSize, "the buffer is another pool's")
        idle.withLock { $0.append(buffer) }
        limit?.signal()
    }
}
