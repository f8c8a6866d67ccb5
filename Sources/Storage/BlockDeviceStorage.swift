// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
internal import CLinux
internal import Glibc
internal import Synchronization

/// A block device. Open it with ``StorageOpener``.
///
/// Its length is fixed, and what was never written reads as anything: zeros are always written, or made by the device
/// (BLKZEROOUT).
package final class BlockDeviceStorage: Storage {
    package let name: String
    package let length: UInt64
    package let alignment: IOAlignment
    package let isZeroInitialized = false
    /// BLKZEROOUT takes whole sectors only.
    private let sector: UInt64
    private let io: DescriptorIO
    private let cache: CacheMode
    private let canZero = Atomic<Bool>(true)

    init(_ descriptor: FileDescriptor, name: String, cache: CacheMode) throws(DrayError) {
        self.name = name
        self.cache = cache
        var size: UInt64 = 0
        var sectorSize: Int32 = 0
        let number = descriptor.number
        if case .failure(let error) = systemCall({
            unsafe dray_block_device_size(number, &size)
        }) {
            let text = "cannot ask the device for its size"
            throw DrayError(.resource, text, file: name, errno: error.number)
        }
        if case .failure(let error) = systemCall({
            unsafe dray_block_device_sector(number, &sectorSize)
        }) {
            let text = "cannot ask the device for its sector size"
            throw DrayError(.resource, text, file: name, errno: error.number)
        }
        guard sectorSize > 0 else {
            throw DrayError(.unsupported, "the device's sector size is \(sectorSize)", file: name)
        }
        length = size
        sector = UInt64(sectorSize)
        alignment =
            try cache.isDirect
            ? descriptor.directAlignment(name, sector: Int(sectorSize)) : .none
        io = DescriptorIO(descriptor, name: name, alignment: alignment)
    }

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
        try checkRoom(offset, UInt64(range.count))
        _ = try io.write(offset.bytes, from: buffer, range)
    }

    package func extent(at offset: HostOffset, limit: UInt64) throws(DrayError) -> StorageExtent {
        guard offset.bytes < length, limit > 0 else {
            throw DrayError(.corrupt, "nothing lies here", file: name, offset: offset.bytes)
        }
        return StorageExtent(isData: true, length: min(limit, length - offset.bytes))
    }

    /// Zeroes by BLKZEROOUT, which gives space back by itself where the device reads it as zeros afterwards. BLKDISCARD
    /// promises no zeros, so it is not used.
    package func zero(_ offset: HostOffset, length: UInt64, mayPunch: Bool) throws(DrayError) {
        guard length > 0 else { return }
        try checkRoom(offset, length)
        let end = offset.bytes + length
        let start = min(offset.bytes.roundedUp(to: sector) ?? end, end)
        let stop = max(end.roundedDown(to: sector), start)
        guard stop > start, canZero.load(ordering: .relaxed) else {
            try writeZeros(offset, length: length)
            return
        }
        let number = io.descriptor.number
        switch systemCall({ dray_block_device_zero(number, start, stop - start) }) {
        case .success:
            try writeZeros(offset, length: start - offset.bytes)
            try writeZeros(HostOffset(stop), length: end - stop)
        case .failure(let error) where [EOPNOTSUPP, ENOTTY, EINVAL, ENOSYS].contains(error.number):
            canZero.store(false, ordering: .relaxed)
            try writeZeros(offset, length: length)
        case .failure(let error):
            let text = "cannot zero \(length) bytes"
            throw DrayError(
                .resource,
                text,
                file: name,
                offset: offset.bytes,
                errno: error.number
            )
        }
    }

    /// A device has its space already; only the bounds are checked.
    package func reserve(_ offset: HostOffset, length: UInt64) throws(DrayError) {
        try checkRoom(offset, length)
    }

    package func resize(_ length: UInt64) throws(DrayError) {
        try checkRoom(HostOffset(0), length)
    }

    package func flush() throws(DrayError) {
        guard cache != .unsafe else { return }
        try io.flush()
    }

    package func identity() throws(DrayError) -> StorageIdentity {
        let status = try io.descriptor.status(name)
        return StorageIdentity(
            name: name,
            size: length,
            modifiedNanoseconds: 0,
            device: status.device,
            inode: status.inode
        )
    }

    private func checkRoom(_ offset: HostOffset, _ count: UInt64) throws(DrayError) {
        if let end = offset.bytes.adding(count), end <= length { return }
        throw DrayError(
            .resource,
            "the device has \(length) bytes: no room for \(count) bytes here",
            file: name,
            offset: offset.bytes,
            errno: ENOSPC
        )
    }
}
