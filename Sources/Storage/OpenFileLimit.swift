// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// How many files this process may have open.
package enum OpenFileLimit {
    /// Enough for many disks of a thousand extents each.
    private static let wanted: rlim_t = 65_536

    /// Raises the limit as far as that is allowed without asking: setrlimit(2). The usual one is 1024, which is for programs that use
    /// select(2).
    package static func raise() {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return
        }
        let reachable = min(wanted, limit.rlim_max)
        guard limit.rlim_cur < reachable else { return }
        limit.rlim_cur = reachable
        // Where it fails, opening a file will, and says so.
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
