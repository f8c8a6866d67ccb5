// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc

/// What the allocator does with the address space, and with memory that is freed.
package enum FreedMemory {
    /// Has large pieces go back to the system at once. By itself the allocator raises the size from which it does so, to 32 MiB, with
    /// what it sees freed, and keeps what is free below a used piece: windows and encoders of ended ranges.
    package static func returnsAtOnce() {
        // Where it fails, memory is used as it would be by itself.
        _ = dray_map_large_memory(512 << 10, 4 << 20)
    }

    /// Has threads share their arenas where the process's address space is limited (`ulimit -v`): each arena takes 64 MiB of it,
    /// used or not, and the allocator makes one a thread.
    package static func fitsAddressSpace() {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0,
            limit.rlim_cur != UInt64.max
        else { return }
        // Where it fails, the address space may end early, as it would by itself.
        _ = dray_share_arenas(2)
    }
}
