// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Digest
internal import DiskImage
internal import Storage

/// Copies a range to a target that allocates: the range is read and zero-tested first, then its clusters that are not
/// zero get one contiguous reservation and are written.
struct AllocatedCopy {
    /// The range and its surroundings.
    let copy: RangeCopy
    /// The target's rules.
    let allocation: Allocation
    /// Behind this guest offset no zeros need to be marked.
    let baseSize: UInt64
    /// How the source's runs are classed.
    let classification: SourceClassification
    /// Gives a buffer that holds the range rounded up to a cluster. Not called for ranges without content.
    let takeBuffer: () -> AlignedBuffer
    /// Buffers of one chunk.
    let chunks: BufferPool

    /// Copies the range; returns the bytes of content read, and what went where.
    func run() throws(DrayError) -> (dataBytes: UInt64, placement: RangePlacement) {
        var states = GranuleStates()
        var dataBytes: UInt64 = 0
        var buffer: AlignedBuffer?
        var position: UInt64 = 0
        try classification.forEachRun(of: copy.range, on: copy.disk) { run throws(DrayError) in
            switch run.kind {
            case .deferred:
                states.append(.hole, run.count)
                dataBytes += try hashDeferred(run.count, from: position)
            case .zero:
                appendZeros(run.count, from: position, &states)
                copy.hasher?.appendZeros(guestRange(run.count, from: position).length)
            case .content:
                let space = buffer ?? takeBuffer()
                buffer = space
                dataBytes += try read(run.count, from: position, into: space, &states)
            }
            position += run.count * allocation.granule
        }
        let placed = states.placement(granule: allocation.granule, cluster: allocation.clusterSize)
        let reservation =
            placed.bytes > 0 ? try copy.control.reserve(SpaceRequest(placed.bytes)) : nil
        if let buffer, let reservation {
            try checkRoom(reservation, placed.bytes)
            for piece in placed.pieces {
                try write(piece.bytes, of: buffer, at: reservation + piece.host)
            }
        }
        return (
            dataBytes,
            RangePlacement(range: copy.range, reservation: reservation, runs: states.runs)
        )
    }

    /// Fails with `unsupported` where the place lies beyond what the target's tables can name.
    private func checkRoom(_ reservation: HostOffset, _ bytes: UInt64) throws(DrayError) {
        let limit = allocation.payloadLimit.bytes
        guard let end = reservation.bytes.adding(bytes), end <= limit else {
            let text =
                "the target would be longer than \(limit) bytes, which its format cannot have"
            throw DrayError(.unsupported, text, file: copy.target.name)
        }
    }

    /// Writes `bytes` of `buffer` chunk by chunk. They were counted when they were read.
    private func write(
        _ bytes: Range<Int>,
        of buffer: AlignedBuffer,
        at host: HostOffset
    ) throws(DrayError) {
        for first in stride(from: bytes.lowerBound, to: bytes.upperBound, by: Self.writeSize) {
            try copy.checkCancelled()
            let end = min(first + Self.writeSize, bytes.upperBound)
            let place = host + UInt64(first - bytes.lowerBound)
            try copy.write(first..<end, of: buffer, at: place)
            copy.control.progress(0)
        }
    }

    /// How much is written between two signs of progress: a range of the usual size in one go, since each call takes the target's lock anew.
    private static let writeSize = 32 * UnitSize.chunk

    /// Reads `count` granules from `start` (bytes from the range's first) and appends their states.
    private func read(
        _ count: UInt64,
        from start: UInt64,
        into buffer: AlignedBuffer,
        _ states: inout GranuleStates
    ) throws(DrayError) -> UInt64 {
        let step = max(UInt64(UnitSize.chunk), allocation.granule)
        let granule = Int(allocation.granule)
        let end = start + count * allocation.granule
        var position = start
        var read: UInt64 = 0
        while position < end {
            try copy.checkCancelled()
            let next = min(position + step, end)
            let valid = min(next, copy.range.length)
            let range = GuestRange(copy.range.start + position, length: valid - position)
            try copy.reader.read(range, into: buffer, at: Int(position))
            copy.hasher?.append(buffer, Int(position)..<Int(valid))
            if valid < next { buffer.zero(Int(valid)..<Int(next)) }
            for first in stride(from: Int(position), to: Int(next), by: granule) {
                if classification.storesZeros || !buffer.isZero(first..<first + granule) {
                    states.append(.data, 1)
                } else {
                    appendZeros(1, from: UInt64(first), &states)
                }
            }
            copy.control.progress(range.length)
            read += range.length
            position = next
        }
        return read
    }

    /// Hashes what the target's backing image has already: it is part of the disk. Returns the bytes of data read.
    private func hashDeferred(_ count: UInt64, from start: UInt64) throws(DrayError) -> UInt64 {
        guard let hasher = copy.hasher else { return 0 }
        return try chunks.withBuffer { buffer throws(DrayError) in
            try RangeChecksum(
                range: guestRange(count, from: start),
                disk: copy.disk,
                reader: copy.reader,
                buffer: buffer,
                control: copy.control
            ).run(hasher)
        }
    }

    /// The guest bytes of `count` granules from `start` (bytes from the range's first): the last granule may be short.
    private func guestRange(_ count: UInt64, from start: UInt64) -> GuestRange {
        let end = min(start + count * allocation.granule, copy.range.length)
        return GuestRange(copy.range.start + start, length: end - start)
    }

    /// Appends `count` granules of zeros from `start` (bytes from the range's first): marked where they hide a backing image.
    private func appendZeros(_ count: UInt64, from start: UInt64, _ states: inout GranuleStates) {
        let hidden = baseSize.subtractingOrZero(copy.range.start.bytes + start)
        let marked =
            allocation.marksZeros
            ? min(count, hidden.dividedRoundingUp(by: allocation.granule)) : 0
        if marked > 0 { states.append(.zero, marked) }
        if count > marked { states.append(.hole, count - marked) }
    }
}
