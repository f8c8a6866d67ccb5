// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import CLinux

/// What becomes of memory that is freed.
package enum FreedMemory {
    /// Has large pieces go back to the system at once. By itself the allocator raises the size from which it does so, to 32 MiB, with
    /// what it sees freed, and keeps what is free below a used piece: windows and encoders of ended ranges.
    package static func returnsAtOnce() {
        // Where it fails, memory is used as it would be by itself.
        _ = dray_map_large_memory(512 << 10, 4 << 20)
    }
}
