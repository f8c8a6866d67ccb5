// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Sleeps between tries for a lock: at first for a moment, then longer.
struct LockWait {
    /// How long was slept in all.
    private(set) var milliseconds: UInt64 = 0
    private var next: UInt64 = 1

    mutating func sleep(atMost longest: UInt64) {
        // Waking early does no harm.
        _ = usleep(UInt32(next * 1000))
        milliseconds += next
        next = min(next * 2, longest)
    }
}
