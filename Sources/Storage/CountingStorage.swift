// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
internal import Synchronization

/// Counts what is asked of another storage: tests bound calls and bytes with it.
package final class CountingStorage: Storage {
    /// How often and how much.
    package struct Counts: Sendable, Hashable {
        /// Calls of `read`.
        package var reads = 0
        /// Bytes read.
        package var bytesRead: UInt64 = 0
        /// Calls of `write`.
        package var writes = 0
        /// Bytes written.
        package var bytesWritten: UInt64 = 0
        /// Calls of `extent`.
        package var extents = 0
        /// Calls of `zero`.
        package var zeros = 0
        /// Bytes zeroed.
        package var bytesZeroed: UInt64 = 0
        /// Calls of `reserve`.
        package var reserves = 0
        /// Calls of `resize`.
        package var resizes = 0
        /// Calls of `flush`.
        package var flushes = 0
    }

    /// The storage that does the work.
    package let base: any Storage
    private let counted = Mutex(Counts())

    /// Counts what is asked of `base` through this.
    package init(_ base: any Storage) { self.base = base }

    /// What was asked so far.
    package var counts: Counts { counted.withLock { $0 } }

    /// Starts again at zero.
    package func reset() { counted.withLock { $0 = Counts() } }

    package var name: String { base.name }
    package var length: UInt64 { base.length }
    package var alignment: IOAlignment { base.alignment }
    package var isZeroInitialized: Bool { base.isZeroInitialized }

    package func read(_ offset: HostOffset, into buffer: AlignedBuffer, _ range: Range<Int>)
        throws(DrayError)
    {
        counted.withLock {
            $0.reads += 1
            $0.bytesRead += UInt64(range.count)
        }
        try base.read(offset, into: buffer, range)
    }

    package func write(_ offset: HostOffset, from buffer: AlignedBuffer, _ range: Range<Int>)
        throws(DrayError)
    {
        counted.withLock {
            $0.writes += 1
            $0.bytesWritten += UInt64(range.count)
        }
        try base.write(offset, from: buffer, range)
    }

    package func extent(at offset: HostOffset, limit: UInt64) throws(DrayError) -> StorageExtent {
        counted.withLock { $0.extents += 1 }
        return try base.extent(at: offset, limit: limit)
    }

    package var hasSlowExtents: Bool { base.hasSlowExtents }

    package func findExtents(with patience: ExtentPatience) { base.findExtents(with: patience) }

    package func zero(_ offset: HostOffset, length: UInt64, mayPunch: Bool) throws(DrayError) {
        counted.withLock {
            $0.zeros += 1
            $0.bytesZeroed += length
        }
        try base.zero(offset, length: length, mayPunch: mayPunch)
    }

    package func reserve(_ offset: HostOffset, length: UInt64) throws(DrayError) {
        counted.withLock { $0.reserves += 1 }
        try base.reserve(offset, length: length)
    }

    package func resize(_ length: UInt64) throws(DrayError) {
        counted.withLock { $0.resizes += 1 }
        try base.resize(length)
    }

    package func flush() throws(DrayError) {
        counted.withLock { $0.flushes += 1 }
        try base.flush()
    }

    package func identity() throws(DrayError) -> StorageIdentity { try base.identity() }
}
