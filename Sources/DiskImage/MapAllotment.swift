// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Synchronization

/// A disk's part of the memory in which a process keeps mapping tables.
///
/// Chains have many layers, jobs many sources, workers many jobs, and all of them are open at the same time. So the first
/// get much and the later ones less, down to what reading from one end to the other needs; the part is free again when its object goes.
final class MapAllotment: Sendable {
    /// How many bytes of tables may be kept.
    let bytes: Int

    private static let most = 16 << 20
    private static let least = 512 << 10
    /// How much there is for those that come first, in bytes, and what the last ones get: two slices of a table.
    private static let room = 64 << 20
    private static let last = 128 << 10
    private static let given = Mutex(0)

    /// Takes a quarter of what is left: 16 MiB at most, and 512 KiB while there is any.
    init() {
        bytes = Self.given.withLock { given in
            let left = max(0, Self.room - given)
            let part = left > 0 ? max(Self.least, min(Self.most, left / 4)) : Self.last
            given += part
            return part
        }
        MemoryBudget.process.keep(bytes)
    }

    deinit {
        let bytes = bytes
        Self.given.withLock { $0 -= bytes }
        MemoryBudget.process.keep(-bytes)
    }
}
