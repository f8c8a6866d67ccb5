// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO

/// A target as one attempt at a range writes it: every call that changes it is made inside the fence, and fails with
/// `refused` once the target is closed.
package final class FencedStorage: Storage {
    private let base: any Storage
    private let lock: FenceLock

    /// Fences `base` with an opening of its lock file that nobody else uses.
    package init(_ base: any Storage, _ lock: FenceLock) {
        self.base = base
        self.lock = lock
    }

    package var name: String { base.name }
    package var length: UInt64 { base.length }
    package var alignment: IOAlignment { base.alignment }
    package var isZeroInitialized: Bool { base.isZeroInitialized }

    package func read(_ offset: HostOffset, into buffer: AlignedBuffer, _ range: Range<Int>)
        throws(DrayError)
    {
        try base.read(offset, into: buffer, range)
    }

    package func write(_ offset: HostOffset, from buffer: AlignedBuffer, _ range: Range<Int>)
        throws(DrayError)
    {
        try lock.whileOpen { () throws(DrayError) in
            try base.write(offset, from: buffer, range)
        }
    }

    package func extent(at offset: HostOffset, limit: UInt64) throws(DrayError) -> StorageExtent {
        try base.extent(at: offset, limit: limit)
    }

    package func zero(_ offset: HostOffset, length: UInt64, mayPunch: Bool) throws(DrayError) {
        try lock.whileOpen { () throws(DrayError) in
            try base.zero(offset, length: length, mayPunch: mayPunch)
        }
    }

    package func reserve(_ offset: HostOffset, length: UInt64) throws(DrayError) {
        try lock.whileOpen { () throws(DrayError) in try base.reserve(offset, length: length) }
    }

    package func resize(_ length: UInt64) throws(DrayError) {
        try lock.whileOpen { () throws(DrayError) in try base.resize(length) }
    }

    package func flush() throws(DrayError) { try base.flush() }

    package func identity() throws(DrayError) -> StorageIdentity { try base.identity() }
}
