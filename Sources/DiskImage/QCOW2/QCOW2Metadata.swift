// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Storage

/// Reads tables of a storage, comparing each with the storage's length before anything is allocated.
struct QCOW2Metadata: Sendable {
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
}

/// Walks metadata of unknown total length from an offset on, reading ahead in pieces.
struct QCOW2MetadataCursor {
    private let metadata: QCOW2Metadata
    private let what: String
    private let limit: UInt64
    private let start: UInt64
    private var window = BigEndianReader([], file: nil)
    /// The next byte, in bytes from the start of the storage.
    private(set) var position: UInt64

    /// A cursor at `start` over at most `limit` bytes of what is called `what` in messages.
    init(_ metadata: QCOW2Metadata, _ what: String, at start: UInt64, limit: UInt64) {
        self.metadata = metadata
        self.what = what
        self.limit = limit
        self.start = start
        position = start
    }

    /// The next `count` bytes, at most 64 KiB: a reader whose offset 0 is the first of them.
    mutating func take(_ count: Int) throws(DrayError) -> BigEndianReader {
        try metadata.check(what, at: position, size: UInt64(count))
        guard position - start + UInt64(count) <= limit else {
            throw DrayError(
                .corrupt,
                "\(what) is longer than \(limit) bytes",
                file: metadata.storage.name,
                offset: position
            )
        }
        let end = position + UInt64(count)
        if position < window.base || end > window.base + UInt64(window.bytes.count) {
            let size = Int(min(max(65_536, UInt64(count)), metadata.length - position))
            let bytes = try metadata.bytes(what, at: position, count: size)
            window = BigEndianReader(bytes, file: metadata.storage.name, base: position)
        }
        let first = Int(position - window.base)
        let piece = Array(window.bytes[first..<first + count])
        defer { position = end }
        return BigEndianReader(piece, file: metadata.storage.name, base: position)
    }

    /// Goes on to the next multiple of 8 from the start, without reading.
    mutating func align() {
        position += (8 - (position - start) % 8) % 8
    }
}
