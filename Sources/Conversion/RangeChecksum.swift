// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Digest
internal import DiskImage

/// Hashes a range: data is read chunk by chunk, what is known to be zero is only counted.
struct RangeChecksum {
    /// The guest bytes to hash.
    let range: GuestRange
    /// Maps them.
    let disk: SourceDisk
    /// Reads them.
    let reader: SourceReader
    /// A buffer of one chunk.
    let buffer: AlignedBuffer
    /// Cancellation and progress.
    let control: any TaskControl

    /// Hashes the range with `hasher`, which gets its blocks in order; returns how many bytes of data were read.
    func run(_ hasher: RangeHasher) throws(DrayError) -> UInt64 {
        var position = range.start
        var dataBytes: UInt64 = 0
        while position < range.end {
            if control.isCancelled { throw DrayError(.cancelled, "stopped on request") }
            let rest = range.end.bytes - position.bytes
            let run = try disk.map(position, limit: rest)
            let zeros = wholeBlocks(of: run, rest: rest)
            if zeros > 0 {
                hasher.appendZeros(zeros)
                position = position + zeros
                continue
            }
            let chunk = GuestRange(position, length: min(UInt64(UnitSize.chunk), rest))
            let data = try reader.read(chunk, into: buffer, at: 0)
            hasher.append(buffer, 0..<Int(chunk.length))
            control.progress(data)
            dataBytes += data
            position = chunk.end
        }
        return dataBytes
    }

    /// How many bytes of a run without data can be counted: whole blocks, or all where it ends the range.
    private func wholeBlocks(of run: SourceExtent, rest: UInt64) -> UInt64 {
        guard run.state != .data else { return 0 }
        return run.range.length == rest
            ? rest : run.range.length.roundedDown(to: UInt64(UnitSize.block))
    }
}
