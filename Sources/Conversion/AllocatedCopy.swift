// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Digest
internal import DiskImage
internal import Storage

/// Copies a range to a target that allocates: the range is read and zero-tested first, then its clusters that are not
/// zero get one contiguous reservation and are written.
struct AllocatedCopy {
    /// Reads the range.
    let walk: GranuleWalk
    /// Gives the range's memory, with a buffer that holds the range rounded up to a cluster. Not called for ranges without content.
    let takeMemory: () throws(DrayError) -> MemoryLoan

    private var copy: RangeCopy { walk.copy }

    /// Copies the range; returns the bytes of content read, and what went where.
    func run() throws(DrayError) -> (dataBytes: UInt64, placement: RangePlacement) {
        var loan = walk.hashesDeferred ? try takeMemory() : nil
        defer { loan?.end() }
        let (dataBytes, states) = try walk.run { position throws(DrayError) in
            if let loan { return (loan.buffer, position) }
            let taken = try takeMemory()
            loan = taken
            return (taken.buffer, position)
        } store: { (_, _, _) throws(DrayError) in
        }
        let rules = walk.rules
        let placed = states.placement(granule: rules.granule, cluster: rules.clusterSize)
        let reservation =
            placed.bytes > 0 ? try copy.control.reserve(SpaceRequest(placed.bytes)) : nil
        if let buffer = loan?.buffer, let reservation {
            try walk.checkRoom(reservation, placed.bytes)
            for piece in placed.pieces {
                try write(piece.bytes, of: buffer, at: reservation + piece.host)
            }
        }
        return (
            dataBytes,
            RangePlacement(range: copy.range, reservation: reservation, runs: states.runs)
        )
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
}
