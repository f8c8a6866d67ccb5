// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Digest
internal import DiskImage
internal import Storage

/// Copies a range to a target whose payload stands at the guest offset: chunk by chunk, nothing is kept.
struct IdentityCopy {
    /// The range and its surroundings.
    let copy: RangeCopy
    /// Where guest byte 0 stands in the target.
    let start: HostOffset
    /// A buffer of one chunk.
    let buffer: AlignedBuffer

    /// Copies the range; returns how many bytes of it were in state data.
    func run() throws(DrayError) -> UInt64 {
        var position = copy.range.start
        var dataBytes: UInt64 = 0
        while position < copy.range.end {
            try copy.checkCancelled()
            let skipped = try skipEmpty(from: position)
            guard skipped == 0 else {
                copy.hasher?.appendZeros(skipped)
                position = position + skipped
                continue
            }
            let chunk = chunk(at: position)
            let data = try copy.reader.read(chunk, into: buffer, at: 0)
            copy.hasher?.append(buffer, 0..<Int(chunk.length))
            try copy.write(0..<Int(chunk.length), of: buffer, at: start + position.bytes)
            copy.control.progress(data)
            dataBytes += data
            position = chunk.end
        }
        return dataBytes
    }

    /// From `position` to the next chunk boundary or the range's end.
    private func chunk(at position: GuestOffset) -> GuestRange {
        let size = UInt64(UnitSize.chunk)
        let boundary = position.bytes.roundedDown(to: size) + size
        return GuestRange(position, length: min(boundary, copy.range.end.bytes) - position.bytes)
    }

    /// Passes over a run that reads as zeros and reaches at least to the end of the chunk; returns its length.
    private func skipEmpty(from position: GuestOffset) throws(DrayError) -> UInt64 {
        guard copy.sparseSize > 0 else { return 0 }
        let rest = copy.range.end.bytes - position.bytes
        let run = try copy.disk.map(position, limit: rest)
        let wanted = chunk(at: position).length
        guard run.state != .data, run.range.length >= wanted else { return 0 }
        let size = UInt64(UnitSize.chunk)
        let isLast = run.range.length == rest
        let length =
            isLast
            ? rest : run.range.end.bytes.roundedDown(to: size) - position.bytes
        if !copy.target.isZeroInitialized {
            try copy.target.zero(start + position.bytes, length: length, mayPunch: !copy.keepsSpace)
        }
        return length
    }
}
