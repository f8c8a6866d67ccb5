// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
internal import CLinux
internal import Glibc
internal import Synchronization

/// A regular file. Open it with ``StorageOpener``.
///
/// The length of a file that is written grows at the start of a write that goes beyond it, so that no other thread
/// takes the new end for free space; after a write that failed it may be more than the file has.
package final class FileStorage: Storage {
    package let name: String
    package let alignment: IOAlignment
    package let isZeroInitialized: Bool
    let io: DescriptorIO
    let extents: ExtentFinder
    let abilities = FileAbilities()
    private let cache: CacheMode
    /// The length as we know it. Also held around each call that sets the file's length, so that none cuts off what another
    /// thread writes.
    private let knownLength: Mutex<UInt64>

    init(
        _ descriptor: FileDescriptor,
        name: String,
        access: StorageOpener.Access,
        cache: CacheMode
    ) throws(DrayError) {
        self.name = name
        self.cache = cache
        alignment = try cache.isDirect ? descriptor.directAlignment(name, sector: 4096) : .none
        isZeroInitialized = access == .creating || access == .filling
        io = DescriptorIO(descriptor, name: name, alignment: alignment)
        let length = try descriptor.status(name).size
        knownLength = Mutex(length)
        extents = ExtentFinder(descriptor, remembersRuns: access == .reading)
    }

    package var length: UInt64 { knownLength.withLock { $0 } }

    package func read(_ offset: HostOffset, into buffer: AlignedBuffer, _ range: Range<Int>)
        throws(DrayError)
    {
        guard !range.isEmpty else { return }
        try checkInside(offset, range.count, of: length)
        try io.read(offset.bytes, into: buffer, range)
    }

    package func write(_ offset: HostOffset, from buffer: AlignedBuffer, _ range: Range<Int>)
        throws(DrayError)
    {
        guard !range.isEmpty else { return }
        let end = try checkedEnd(offset, UInt64(range.count))
        knownLength.withLock { $0 = max($0, end) }
        let written = try io.write(offset.bytes, from: buffer, range)
        if written > end { try cutOverhang(written) }
    }

    package func extent(at offset: HostOffset, limit: UInt64) throws(DrayError) -> StorageExtent {
        let length = length
        guard offset.bytes < length, limit > 0 else {
            throw DrayError(.corrupt, "nothing lies here", file: name, offset: offset.bytes)
        }
        return extents.extent(at: offset.bytes, limit: limit, length: length)
    }

    package var hasSlowExtents: Bool { extents.wasTooSlow }

    package func findExtents(with patience: ExtentPatience) { extents.begin(with: patience) }

    /// How often the file system was asked for data and holes: tests bound it.
    package var extentQuestions: Int { extents.questions }

    package func resize(_ length: UInt64) throws(DrayError) {
        _ = try checkedEnd(HostOffset(0), length)
        try setLength { _ in length }
    }

    /// Makes the file at least `end` bytes long. What is added reads as zeros.
    func grow(to end: UInt64) throws(DrayError) { try setLength { $0 < end ? end : nil } }

    package func flush() throws(DrayError) {
        guard cache != .unsafe else { return }
        try io.flush()
    }

    package func identity() throws(DrayError) -> StorageIdentity {
        let status = try io.descriptor.status(name)
        return StorageIdentity(
            name: name,
            size: status.size,
            modifiedNanoseconds: status.modifiedNanoseconds,
            device: status.device,
            inode: status.inode
        )
    }

    /// A write through whole O_DIRECT units went beyond what the caller wrote: cut the file where it ends.
    private func cutOverhang(_ written: UInt64) throws(DrayError) {
        guard written > length else { return }
        try setLength { $0 }
    }

    private func setLength(_ choose: (UInt64) -> UInt64?) throws(DrayError) {
        let outcome = knownLength.withLock { known -> Result<Void, DrayError> in
            guard let wanted = choose(known) else { return .success(()) }
            let result = systemCall { ftruncate(io.descriptor.number, off_t(wanted)) }
            if case .failure(let error) = result {
                let text = "cannot set the length to \(wanted) bytes"
                return .failure(DrayError(.resource, text, file: name, errno: error.number))
            }
            known = wanted
            return .success(())
        }
        try outcome.get()
    }
}
