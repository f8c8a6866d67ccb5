// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Storage

/// Reads tables of a storage, comparing each with the storage's length before anything is allocated.
struct StorageMetadata: Sendable {
    let storage: any Storage
    /// The storage's length when the image was opened, in bytes.
    let length: UInt64

    init(_ storage: any Storage) {
        self.storage = storage
        length = storage.length
    }

    /// Fails with `corrupt` where the `size` bytes at `offset`, named `what`, are not all in the file.
    func check(_ what: @autoclosure () -> String, at offset: UInt64, size: UInt64)
        throws(DrayError)
    {
        guard let end = offset.adding(size), end <= length else {
            throw DrayError(
                .corrupt,
                "\(what()) (\(size) bytes) lies beyond the end of the file (\(length) bytes)",
                file: storage.name,
                offset: offset
            )
        }
    }

    /// The bytes at `offset`.
    func bytes(_ what: @autoclosure () -> String, at offset: UInt64, count: Int)
        throws(DrayError) -> [UInt8]
    {
        try check(what(), at: offset, size: UInt64(count))
        guard count > 0 else { return [] }
        let buffer = AlignedBuffer(count: count)
        try storage.read(HostOffset(offset), into: buffer, 0..<count)
        return buffer.bytes(0..<count)
    }

    /// The `count` words at `offset`.
    func words(_ what: @autoclosure () -> String, at offset: UInt64, count: Int)
        throws(DrayError) -> [UInt64]
    {
        try check(what(), at: offset, size: UInt64(count) * 8)
        guard count > 0 else { return [] }
        let buffer = AlignedBuffer(count: count * 8)
        try storage.read(HostOffset(offset), into: buffer, 0..<count * 8)
        return buffer.bigEndianWords(0..<count * 8)
    }

    /// The `count` integers of `width` bytes (4 or 8) at `offset` that are stored least significant byte first.
    func littleEndianWords(
        _ what: @autoclosure () -> String,
        at offset: UInt64,
        count: Int,
        width: Int
    ) throws(DrayError) -> [UInt64] {
        let size = count * width
        try check(what(), at: offset, size: UInt64(size))
        guard count > 0 else { return [] }
        let buffer = AlignedBuffer(count: size)
        try storage.read(HostOffset(offset), into: buffer, 0..<size)
        return buffer.littleEndianWords(0..<size, width: width)
    }
}
