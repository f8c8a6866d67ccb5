// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

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
    private static let left = Mutex(64 << 20)

    /// Takes a quarter of what is left: 16 MiB at most, and 512 KiB in any case.
    init() {
        bytes = Self.left.withLock { left in
            let part = max(Self.least, min(Self.most, left / 4))
            left -= part
            return part
        }
    }

    deinit {
        let bytes = bytes
        Self.left.withLock { $0 += bytes }
    }
}
