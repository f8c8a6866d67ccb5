// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Storage

/// Walks metadata of unknown total length from an offset on, reading ahead in pieces.
struct QCOW2MetadataCursor {
    private let metadata: StorageMetadata
    private let what: String
    private let limit: UInt64
    private let start: UInt64
    private var window = MetadataReader([], file: nil)
    /// The next byte, in bytes from the start of the storage.
    private(set) var position: UInt64

    /// A cursor at `start` over at most `limit` bytes of what is called `what` in messages.
    init(_ metadata: StorageMetadata, _ what: String, at start: UInt64, limit: UInt64) {
        self.metadata = metadata
        self.what = what
        self.limit = limit
        self.start = start
        position = start
    }

    /// The next `count` bytes, at most 64 KiB: a reader whose offset 0 is the first of them.
    mutating func take(_ count: Int) throws(DrayError) -> MetadataReader {
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
            window = MetadataReader(bytes, file: metadata.storage.name, base: position)
        }
        let first = Int(position - window.base)
        let piece = Array(window.bytes[first..<first + count])
        defer { position = end }
        return MetadataReader(piece, file: metadata.storage.name, base: position)
    }

    /// Goes on to the next multiple of 8 from the start, without reading.
    mutating func align() {
        position += (8 - (position - start) % 8) % 8
    }
}
