// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Storage

/// Writes table entries of one size one behind the other, in large writes and without holding a table in memory.
struct TableWriter {
    /// How much is written at a time, in bytes.
    static let bufferSize = 1 << 20

    private let storage: any Storage
    private let buffer: AlignedBuffer
    private var start: HostOffset
    private var fill = 0

    /// Starts at `offset`, a multiple of an entry's size.
    init(_ storage: any Storage, at offset: HostOffset, _ buffer: AlignedBuffer) {
        precondition(buffer.count % 8 == 0, "entries do not straddle buffers")
        self.storage = storage
        self.buffer = buffer
        start = offset
    }

    /// Where the next entry goes.
    var position: HostOffset { start + UInt64(fill) }

    /// Adds an entry of 64 bits, most significant byte first.
    mutating func append(_ entry: UInt64) throws(DrayError) {
        buffer.storeBigEndian(entry, at: fill)
        try advance(8)
    }

    /// Adds an entry of 32 bits, least significant byte first.
    mutating func append(littleEndian entry: UInt32) throws(DrayError) {
        buffer.storeLittleEndian(entry, at: fill)
        try advance(4)
    }

    private mutating func advance(_ count: Int) throws(DrayError) {
        fill += count
        if fill == buffer.count { try flush() }
    }

    /// Adds zeros up to `end`, which is not before ``position``.
    mutating func fill(to end: HostOffset) throws(DrayError) {
        precondition(end >= position, "tables are written front to back")
        while position < end {
            let count = Int(min(end.bytes - position.bytes, UInt64(buffer.count - fill)))
            buffer.zero(fill..<fill + count)
            fill += count
            if fill == buffer.count { try flush() }
        }
    }

    /// Writes what is left.
    mutating func flush() throws(DrayError) {
        guard fill > 0 else { return }
        try storage.write(start, from: buffer, 0..<fill)
        start = start + UInt64(fill)
        fill = 0
    }
}
