// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Storage
internal import Synchronization

/// A file whose data the kernel could not write: the first flush of all is told, and each opening remembers only what it was told.
final class LosingStorage: Storage {
    private let base: any Storage
    private let loses: @Sendable () -> Bool
    private let hasFailed = Atomic(false)

    /// Puts `loses`, which says whether data is lost by now, around `base`.
    init(_ base: any Storage, loses: @escaping @Sendable () -> Bool) {
        self.base = base
        self.loses = loses
    }

    var name: String { base.name }
    var length: UInt64 { base.length }
    var alignment: IOAlignment { base.alignment }
    var isZeroInitialized: Bool { base.isZeroInitialized }

    func read(_ offset: HostOffset, into buffer: AlignedBuffer, _ range: Range<Int>)
        throws(DrayError)
    {
        try base.read(offset, into: buffer, range)
    }

    func write(_ offset: HostOffset, from buffer: AlignedBuffer, _ range: Range<Int>)
        throws(DrayError)
    {
        try base.write(offset, from: buffer, range)
    }

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

    func flush() throws(DrayError) {
        if loses() { hasFailed.store(true, ordering: .relaxed) }
        guard !hasFailed.load(ordering: .relaxed) else {
            throw DrayError(.resource, "the data is lost", file: name)
        }
        try base.flush()
    }

    func identity() throws(DrayError) -> StorageIdentity { try base.identity() }
}
