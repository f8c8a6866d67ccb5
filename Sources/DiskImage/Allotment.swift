// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Synchronization

/// A part of the memory that this process keeps for one purpose, while images are open: the first that come get much and the later ones
/// less, down to what is enough to go on. It is free again when its object goes.
///
/// Chains have many layers, jobs many sources, workers many jobs, and all of them are open at the same time.
package final class Allotment: Sendable {
    /// What allotments are parts of. All figures are bytes.
    package final class Pool: Sendable {
        private let room: Int
        private let most: Int
        private let least: Int
        private let last: Int
        private let given = Mutex(0)

        /// Mapping tables: the last get two slices of one, what reading from one end to the other needs.
        package static let tables = Pool(
            room: 64 << 20,
            most: 16 << 20,
            least: 512 << 10,
            last: 128 << 10
        )
        /// Windows of gzip streams, 32 KiB each: 24 MiB of them are spaced for ranges up to 12 GiB.
        package static let windows = Pool(
            room: 96 << 20,
            most: 24 << 20,
            least: 512 << 10,
            last: 96 << 10
        )

        /// A pool of `room` bytes. Each gets a quarter of what is left, `most` at most and `least` while there is any; `last` when there is none.
        package init(room: Int, most: Int, least: Int, last: Int) {
            (self.room, self.most, self.least, self.last) = (room, most, least, last)
        }

        fileprivate func take() -> Int {
            let bytes = given.withLock { given in
                let left = max(0, room - given)
                let part = left > 0 ? max(least, min(most, left / 4)) : last
                given += part
                return part
            }
            MemoryBudget.process.keep(bytes)
            return bytes
        }

        fileprivate func give(_ bytes: Int) {
            given.withLock { $0 -= bytes }
            MemoryBudget.process.keep(-bytes)
        }
    }

    /// How many bytes there are for its owner.
    package let bytes: Int
    private let pool: Pool
    private let held: Atomic<Int>

    /// Takes a part of `pool`.
    package init(of pool: Pool) {
        self.pool = pool
        bytes = pool.take()
        held = Atomic(bytes)
    }

    deinit { pool.give(held.load(ordering: .relaxed)) }

    /// Gives back all but `needed` bytes, once it is known that no more will be used. For its owner alone to call.
    package func shrink(to needed: Int) {
        let needed = min(needed, held.load(ordering: .relaxed))
        pool.give(held.exchange(needed, ordering: .relaxed) - needed)
    }
}
