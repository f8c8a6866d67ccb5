// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Storage
internal import Synchronization

/// Counts the reads of another storage.
final class CountingStorage: Storage {
    private let base: any Storage
    private let count = Atomic<Int>(0)

    init(_ base: any Storage) { self.base = base }

    /// How often it was read.
    var reads: Int { count.load(ordering: .relaxed) }

    var name: String { base.name }
    var length: UInt64 { base.length }
    var alignment: IOAlignment { base.alignment }
    var isZeroInitialized: Bool { base.isZeroInitialized }

    func read(_ offset: HostOffset, into buffer: AlignedBuffer, _ range: Range<Int>)
        throws(DrayError)
    {
        count.add(1, ordering: .relaxed)
        try base.read(offset, into: buffer, range)
    }

    func write(_ offset: HostOffset, from buffer: AlignedBuffer, _ range: Range<Int>)
        throws(DrayError)
    { try base.write(offset, from: buffer, range) }

    func extent(at offset: HostOffset, limit: UInt64) throws(DrayError) -> StorageExtent {
        try base.extent(at: offset, limit: limit)
    }

    func zero(_ offset: HostOffset, length: UInt64, mayPunch: Bool) throws(DrayError) {
        try base.zero(offset, length: length, mayPunch: mayPunch)
    }

    func reserve(_ offset: HostOffset, length: UInt64) throws(DrayError) {
        try base.reserve(offset, length: length)
    }

    func resize(_ length: UInt64) throws(DrayError) { try base.resize(length) }
    func flush() throws(DrayError) { try base.flush() }
    func identity() throws(DrayError) -> StorageIdentity { try base.identity() }
}
