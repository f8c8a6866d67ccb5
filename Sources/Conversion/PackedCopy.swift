// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Digest
internal import DiskImage
internal import Storage

/// Copies a range to a packed target: its clusters are encoded in memory as they are read, then get one contiguous reservation, in guest
/// order, and are written.
struct PackedCopy {
    /// Reads the range.
    let walk: GranuleWalk
    /// The target's rules.
    let packing: Packing
    /// The target.
    let format: any TargetFormat
    /// What every place must be a multiple of, in bytes.
    let alignment: UInt64
    /// Gives the range's memory, with a buffer that holds what the range may become at most. Not called for ranges of which nothing is read.
    let takeMemory: () throws(DrayError) -> MemoryLoan

    private var copy: RangeCopy { walk.copy }
    /// Buffers for what is read at a time.
    private var inputs: BufferPool {
        BufferPool(bufferSize: GranuleWalk.step(granule: packing.rules.granule))
    }

    /// Copies the range; returns the bytes of content read, and what went where.
    func run() throws(DrayError) -> (dataBytes: UInt64, placement: RangePlacement) {
        var packed = PackedRange(packing)
        var loan = walk.hashesDeferred ? try takeMemory() : nil
        defer { loan?.end() }
        let (dataBytes, states) = try encode(&packed, &loan)
        // While the range waits for its place others encode.
        loan?.keepBufferOnly()
        guard let output = loan?.buffer, !packed.isEmpty else {
            return (dataBytes, placement(nil, states, packed))
        }
        let space = packed.space(alignment)
        let reservation = try copy.control.reserve(space)
        try walk.checkRoom(reservation, packed.length(from: reservation))
        let placement = placement(reservation, states, packed)
        let trailer = format.trailer(placement)
        for piece in packed.pieces(from: reservation, trailer: trailer, output) {
            try copy.checkCancelled()
            try copy.target.write(HostOffset(piece.host), from: output, piece.bytes)
            copy.control.progress(0)
        }
        return (dataBytes, placement)
    }

    /// Reads and encodes the range.
    private func encode(
        _ packed: inout PackedRange,
        _ loan: inout MemoryLoan?
    ) throws(DrayError) -> (dataBytes: UInt64, states: GranuleStates) {
        typealias Tools = (encoder: any ClusterEncoder, input: AlignedBuffer, output: AlignedBuffer)
        var tools: Tools?
        defer { if let tools { inputs.give(tools.input) } }
        return try walk.run { _ throws(DrayError) in
            if let tools { return (tools.input, 0) }
            let taken = if let loan { loan } else { try takeMemory() }
            loan = taken
            let made = (format.makeEncoder(), inputs.take(), taken.buffer)
            tools = made
            return (made.1, 0)
        } store: { (buffer, bytes, position) throws(DrayError) in
            guard let tools else {
                throw DrayError(.bug, "a range is encoded before it was read")
            }
            let guest = copy.range.start + UInt64(position)
            packed.append(bytes, of: buffer, guest, tools.encoder, into: tools.output)
        }
    }

    private func placement(
        _ reservation: HostOffset?,
        _ states: GranuleStates,
        _ packed: PackedRange
    ) -> RangePlacement {
        RangePlacement(
            range: copy.range,
            reservation: reservation,
            runs: states.runs,
            stored: packed.lengths
        )
    }
}

/// The clusters of a range as they are encoded, one behind the other in a buffer.
struct PackedRange {
    /// The clusters' lengths so far.
    private(set) var lengths = StoredLengths()
    private let packing: Packing
    private var fill = 0
    /// The clusters in the buffer.
    private var clusters: [(bytes: Range<Int>, isPlain: Bool)] = []

    /// Begins without clusters.
    init(_ packing: Packing) { self.packing = packing }

    /// Whether no cluster is stored.
    var isEmpty: Bool { clusters.isEmpty }

    /// The size of a buffer that holds ranges of `rangeSize` bytes, whatever their content.
    static func bufferSize(_ packing: Packing, rangeSize: UInt64) -> Int {
        let clusters = Int(rangeSize.dividedRoundingUp(by: packing.rules.clusterSize))
        return clusters * packing.largestStored + packing.trailerLength
    }

    /// Encodes the cluster of guest bytes at `guest`, which is `bytes` of `buffer`, into `output` behind the others.
    mutating func append(
        _ bytes: Range<Int>,
        of buffer: AlignedBuffer,
        _ guest: GuestOffset,
        _ encoder: any ClusterEncoder,
        into output: AlignedBuffer
    ) {
        let length = encoder.encode(guest, buffer, bytes, into: output, at: fill)
        if length == nil { output.copy(buffer, bytes, to: fill) }
        lengths.append(length)
        let end = fill + (length ?? bytes.count)
        clusters.append((fill..<end, length == nil))
        fill = end
    }

    /// The place that all of it needs, which begins at a multiple of `alignment`.
    func space(_ alignment: UInt64) -> SpaceRequest {
        let rules = packing.rules
        let trailer = UInt64(packing.trailerLength)
        guard alignment > 1 else {
            guard rules.mostShared == .max else { return SpaceRequest(lengths, rules) }
            let (plain, streams) = lengths.sums(clusterSize: rules.clusterSize)
            return SpaceRequest(
                streams + trailer,
                alignedBytes: plain,
                alignment: rules.clusterSize
            )
        }
        let layout = PackedLayout(lengths, rules, from: 0)
        let hasClusters = layout.plainLength > 0 || rules.mostShared < .max
        return SpaceRequest(
            0,
            alignedBytes: layout.end + trailer,
            alignment: hasClusters ? max(alignment, rules.clusterSize) : alignment
        )
    }

    /// How far all of it reaches from the place at `start`, in bytes.
    func length(from start: HostOffset) -> UInt64 {
        PackedLayout(lengths, packing.rules, from: start.bytes).payloadEnd - start.bytes
            + UInt64(packing.trailerLength)
    }

    /// What is to be written at which host offset, for the place at `start`. `trailer` is put into `output` behind all clusters.
    mutating func pieces(
        from start: HostOffset,
        trailer: [UInt8],
        _ output: AlignedBuffer
    ) -> [GranuleStates.Piece] {
        precondition(trailer.count == packing.trailerLength, "the trailer is as long as promised")
        var layout = PackedLayout(lengths, packing.rules, from: start.bytes)
        precondition(trailer.isEmpty || layout.plainLength == 0, "a trailer follows streams")
        var pieces: [GranuleStates.Piece] = []
        for cluster in clusters {
            let host = layout.place(cluster.isPlain ? 0 : UInt64(cluster.bytes.count))
            Self.append(cluster.bytes, host, to: &pieces)
        }
        if !trailer.isEmpty {
            output.copy(trailer, to: fill)
            Self.append(fill..<fill + trailer.count, layout.streamEnd, to: &pieces)
            fill += trailer.count
        }
        return pieces
    }

    /// Adds what is to be written at `host`, to the piece before where both belong together.
    private static func append(
        _ bytes: Range<Int>,
        _ host: UInt64,
        to pieces: inout [GranuleStates.Piece]
    ) {
        if let last = pieces.last, last.bytes.upperBound == bytes.lowerBound,
            last.host + UInt64(last.bytes.count) == host
        {
            let joined = last.bytes.lowerBound..<bytes.upperBound
            pieces[pieces.count - 1] = GranuleStates.Piece(bytes: joined, host: last.host)
        } else {
            pieces.append(GranuleStates.Piece(bytes: bytes, host: host))
        }
    }
}
