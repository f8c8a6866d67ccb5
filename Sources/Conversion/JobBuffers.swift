// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Synchronization

/// The buffers of a runner, shared by all its jobs: else each job that is kept would keep its own.
final class JobBuffers: Sendable {
    /// How much memory the ranges of one size may hold at once, in bytes, however many threads run them.
    static let memoryLimit = 128 << 20

    private struct Known {
        weak var pool: BufferPool?
    }

    /// Buffers of one chunk.
    let chunks = BufferPool(bufferSize: UnitSize.chunk)
    /// Encoders for ranges of packed targets.
    let encoders = EncoderRoom()
    private let pools = Mutex<[Int: Known]>([:])

    /// Buffers of `size` bytes, for ranges of that size. The pool lives as long as somebody keeps it.
    func ranges(of size: Int) -> BufferPool {
        pools.withLock { pools in
            if let pool = pools[size]?.pool { return pool }
            let pool = BufferPool(bufferSize: size, limit: max(1, Self.memoryLimit / size))
            pools[size] = Known(pool: pool)
            return pool
        }
    }
}
