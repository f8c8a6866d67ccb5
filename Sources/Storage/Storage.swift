// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO

/// Where bytes live: a file, a block device, memory. Offsets are host offsets.
///
/// Reads and writes are whole or an error: there is no short count, and nothing beyond `length` reads
/// as zeros. All methods may be called from any thread.
package protocol Storage: AnyObject, Sendable {
    /// The storage's name as the user gave it, for messages.
    var name: String { get }
    /// The length in bytes. Constant for what is read; for a target it grows with writes and `resize`.
    var length: UInt64 { get }
    /// What memory addresses, offsets and lengths must be multiples of.
    var alignment: IOAlignment { get }
    /// Whether a stretch that was never written reads as zeros: true for files made by us, false for
    /// block devices.
    var isZeroInitialized: Bool { get }

    /// Reads `range.count` bytes at `offset` into `range` of `buffer`.
    ///
    /// Any offset and length is taken; where O_DIRECT wants more, the storage goes through a buffer of its own.
    /// Fails with `resource` where the system fails, with `corrupt` where the stretch ends beyond `length`.
    func read(_ offset: HostOffset, into buffer: AlignedBuffer, _ range: Range<Int>)
        throws(DrayError)

    /// Writes `range` of `buffer` at `offset`; a file grows as needed. Fails with `resource`, naming offset and errno.
    func write(_ offset: HostOffset, from buffer: AlignedBuffer, _ range: Range<Int>)
        throws(DrayError)

    /// What the storage knows about the bytes at `offset`: a run of one state, at most `limit` long.
    /// The answer is metadata only; "data" is always a right answer.
    func extent(at offset: HostOffset, limit: UInt64) throws(DrayError) -> StorageExtent

    /// Whether ``extent(at:limit:)`` has taken too long, so that it says "data" of everything by now.
    var hasSlowExtents: Bool { get }

    /// Has ``extent(at:limit:)`` begin afresh, with this patience for the file system.
    func findExtents(with patience: ExtentPatience)

    /// Makes a stretch read as zeros, by metadata where that is possible, by writing where it is not.
    /// With `mayPunch` the space may be given back.
    func zero(_ offset: HostOffset, length: UInt64, mayPunch: Bool) throws(DrayError)

    /// Reserves space for a stretch without changing what it reads as: posix_fallocate(3).
    func reserve(_ offset: HostOffset, length: UInt64) throws(DrayError)

    /// Sets the length of a file. A block device only takes a length it already has room for.
    func resize(_ length: UInt64) throws(DrayError)

    /// Makes everything written durable: fdatasync(2).
    func flush() throws(DrayError)

    /// What tells this storage's present content from another: compared before and after each range.
    func identity() throws(DrayError) -> StorageIdentity
}

extension Storage {
    /// False: for what knows its extents, or has none.
    package var hasSlowExtents: Bool { false }

    /// Nothing to do: for what knows its extents, or has none.
    package func findExtents(with patience: ExtentPatience) {}
}

/// What addresses, offsets and lengths must be multiples of, in bytes; 1 without O_DIRECT.
package struct IOAlignment: Hashable, Sendable {
    /// For the address in memory.
    package let memory: Int
    /// For offset and length.
    package let request: Int

    /// Names an alignment.
    package init(memory: Int, request: Int) {
        self.memory = memory
        self.request = request
    }

    /// No constraint.
    package static let none = IOAlignment(memory: 1, request: 1)
}

/// A run of bytes of one state in a storage.
package struct StorageExtent: Hashable, Sendable {
    /// Whether bytes are stored; if not, the run reads as zeros.
    package let isData: Bool
    /// The run's length in bytes, at least 1.
    package let length: UInt64

    /// Names a run.
    package init(isData: Bool, length: UInt64) {
        self.isData = isData
        self.length = length
    }
}

/// What tells a storage's present content from another.
package struct StorageIdentity: Hashable, Sendable, Codable {
    /// The name, as the user gave it.
    package let name: String
    /// Bytes.
    package let size: UInt64
    /// The time of the last change, in nanoseconds since 1970 (0 for block devices, whose time says nothing).
    package let modifiedNanoseconds: Int64
    /// Device and inode number.
    package let device: UInt64
    /// The inode number.
    package let inode: UInt64

    /// Names a content.
    package init(
        name: String,
        size: UInt64,
        modifiedNanoseconds: Int64,
        device: UInt64,
        inode: UInt64
    ) {
        self.name = name
        self.size = size
        self.modifiedNanoseconds = modifiedNanoseconds
        self.device = device
        self.inode = inode
    }
}
