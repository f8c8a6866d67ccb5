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
    private let state: Mutex<State>

    private struct State: Sendable {
        var idle: [AlignedBuffer] = []
        /// How many more may be out; nil without a limit.
        var free: Int?
        var waiters: [Waiter] = []
    }

    /// A thread that waits for a buffer.
    private struct Waiter: Sendable {
        let order: UInt64
        let gate: CountingSemaphore
    }

    /// Makes an empty pool; buffers are allocated when first asked for. With a `limit`, at most so many are out at a time, and
    /// who wants another waits: then every taken buffer must be given back.
    package init(bufferSize: Int, limit: Int? = nil) {
        self.bufferSize = bufferSize
        state = Mutex(State(free: limit))
    }

    /// Lends a buffer for the duration of `body`.
    package func withBuffer<R, E: Error>(_ body: (AlignedBuffer) throws(E) -> R) throws(E) -> R {
        let buffer = take()
        defer { give(buffer) }
        return try body(buffer)
    }

    /// Takes a buffer out. Give it back with ``give(_:)``; one that is not is freed by its last owner. Of those that wait, who has the
    /// lowest `order` gets the next one.
    package func take(before order: UInt64 = 0) -> AlignedBuffer {
        let waiter = state.withLock { state -> Waiter? in
            guard let free = state.free else { return nil }
            guard free == 0 else {
                state.free = free - 1
                return nil
            }
            let waiter = Waiter(order: order, gate: CountingSemaphore(count: 0))
            state.waiters.append(waiter)
            return waiter
        }
        waiter?.gate.wait()
        return state.withLock { $0.idle.popLast() } ?? AlignedBuffer(count: bufferSize)
    }

    /// Gives a buffer back.
    package func give(_ buffer: AlignedBuffer) {
        precondition(buffer.count == bufferSize, "the buffer is another pool's")
        let next = state.withLock { state -> Waiter? in
            state.idle.append(buffer)
            guard let free = state.free else { return nil }
            guard
                let first = state.waiters.indices.min(by: {
                    state.waiters[$0].order < state.waiters[$1].order
                })
            else {
                state.free = free + 1
                return nil
            }
            return state.waiters.remove(at: first)
        }
        next?.gate.signal()
    }
}
