// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// How the host's page cache is used: the values of qemu-img's `-t` and `-T`.
package enum CacheMode: String, Sendable, Codable, CaseIterable {
    /// O_DIRECT.
    case none
    /// Through the page cache, flushed at the end.
    case writeback
    /// Through the page cache, each write durable before it counts (O_DSYNC).
    case writethrough
    /// O_DIRECT and O_DSYNC.
    case directsync
    /// Through the page cache, never flushed: fastest, and lost with the machine.
    case unsafe

    /// Whether the page cache is bypassed.
    package var isDirect: Bool { self == .none || self == .directsync }
}
