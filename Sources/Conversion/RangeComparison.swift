// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage

/// Compares a range of two disks. Where one is shorter it reads as zeros.
struct RangeComparison {
    /// One of the two disks.
    struct Side {
        /// Maps it.
        let disk: SourceDisk
        /// Reads it.
        let reader: SourceReader
        /// A buffer of one chunk.
        let buffer: AlignedBuffer

        /// Whether the bytes from `offset` are known to be zeros, and for how long (at most `limit`) that answer holds.
        func zeros(from offset: GuestOffset, limit: UInt64) throws(DrayError) -> (Bool, UInt64) {
            guard offset.bytes < disk.guestSize else { return (true, limit) }
            let run = try disk.map(offset, limit: limit)
            return (run.state != .data, run.range.length)
        }

        /// Reads `range`, of which what lies behind the disk's end is zeros.
        func read(_ range: GuestRange) throws(DrayError) {
            let size = disk.guestSize
            let inside = range.start.bytes < size ? min(range.length, size - range.start.bytes) : 0
            if inside > 0 {
                try reader.read(GuestRange(range.start, length: inside), into: buffer, at: 0)
            }
            buffer.zero(Int(inside)..<Int(range.length))
        }
    }

    /// The guest bytes to compare.
    let range: GuestRange
    /// The first disk.
    let first: Side
    /// The second disk.
    let second: Side
    /// Cancellation and progress.
    let control: any TaskControl

    /// The first guest offset at which the disks differ, and how many bytes were read for the answer.
    func run() throws(DrayError) -> (mismatch: GuestOffset?, dataBytes: UInt64) {
        var position = range.start
        var dataBytes: UInt64 = 0
        while position < range.end {
            if control.isCancelled { throw DrayError(.cancelled, "stopped on request") }
            let rest = range.end.bytes - position.bytes
            let (firstIsZero, firstLength) = try first.zeros(from: position, limit: rest)
            let (secondIsZero, secondLength) = try second.zeros(from: position, limit: rest)
            if firstIsZero, secondIsZero {
                position = position + min(firstLength, secondLength)
                continue
            }
            let chunk = GuestRange(position, length: min(UInt64(UnitSize.chunk), rest))
            try first.read(chunk)
            try second.read(chunk)
            control.progress(chunk.length)
            dataBytes += chunk.length
            let bytes = 0..<Int(chunk.length)
            if let index = first.buffer.firstDifference(from: second.buffer, bytes) {
                return (position + UInt64(index), dataBytes)
            }
            position = chunk.end
        }
        return (nil, dataBytes)
    }
}
