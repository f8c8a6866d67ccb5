// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
internal import Glibc

/// A storage that takes its time: each read and each write waits first. For measurements alone, to see on one machine how a fleet does on
/// storage that is far away.
package final class DelayedStorage: Storage {
    /// The longest delay, in milliseconds.
    package static let longestDelay = 1000

    private let base: any Storage
    private let milliseconds: Int

    /// Makes `base` slower by `milliseconds` a call, at most ``longestDelay``.
    package init(_ base: any Storage, milliseconds: Int) {
        self.base = base
        self.milliseconds = min(max(0, milliseconds), Self.longestDelay)
    }

    package var name: String { base.name }
    package var length: UInt64 { base.length }
    package var alignment: IOAlignment { base.alignment }
    package var isZeroInitialized: Bool { base.isZeroInitialized }
    package var hasSlowExtents: Bool { base.hasSlowExtents }

    package func read(_ offset: HostOffset, into buffer: AlignedBuffer, _ range: Range<Int>)
        throws(DrayError)
    {
        wait()
        try base.read(offset, into: buffer, range)
    }

    package func write(_ offset: HostOffset, from buffer: AlignedBuffer, _ range: Range<Int>)
        throws(DrayError)
    {
        wait()
        try base.write(offset, from: buffer, range)
    }

    package func extent(at offset: HostOffset, limit: UInt64) throws(DrayError) -> StorageExtent {
        try base.extent(at: offset, limit: limit)
    }

    package func findExtents(with patience: ExtentPatience) { base.findExtents(with: patience) }

    package func zero(_ offset: HostOffset, length: UInt64, mayPunch: Bool) throws(DrayError) {
        try base.zero(offset, length: length, mayPunch: mayPunch)
    }

    package func reserve(_ offset: HostOffset, length: UInt64) throws(DrayError) {
        try base.reserve(offset, length: length)
    }

    package func resize(_ length: UInt64) throws(DrayError) { try base.resize(length) }

    package func flush() throws(DrayError) { try base.flush() }

    package func identity() throws(DrayError) -> StorageIdentity { try base.identity() }

    private func wait() {
        // Waking early makes a measurement a little worse, no more.
        _ = usleep(UInt32(milliseconds * 1000))
    }
}
