// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Digest
internal import DiskImage
internal import Storage

/// Walks a range of the source granule by granule for a target that gives places: reads what has to be read, hashes what passes, and says
/// which granules are stored.
struct GranuleWalk {
    /// The range and its surroundings.
    let copy: RangeCopy
    /// The target's rules.
    let rules: Allocation
    /// Behind this guest offset no zeros need to be marked.
    let baseSize: UInt64
    /// How the source's runs are classed.
    let classification: SourceClassification
    /// Buffers of one chunk.
    let chunks: BufferPool

    /// Whether the range is read where nothing of it is copied, too: what the target's backing image has already is hashed.
    var hashesDeferred: Bool { copy.hasher != nil && baseSize > copy.range.start.bytes }

    /// How much is read at a time, in bytes: a chunk, or a granule where that is larger.
    static func step(granule: UInt64) -> Int { max(UnitSize.chunk, Int(granule)) }

    /// Walks the range. `place` says where the next step's bytes, at so many bytes from the range's first, are to be read to; `store` gets each
    /// granule that is to be stored, with its distance from the range's first. Returns the bytes of content read and all
    /// granules' states.
    func run(
        _ place: (Int) throws(DrayError) -> (buffer: AlignedBuffer, start: Int),
        store: (AlignedBuffer, Range<Int>, Int) throws(DrayError) -> Void
    ) throws(DrayError) -> (dataBytes: UInt64, states: GranuleStates) {
        var states = GranuleStates()
        var dataBytes: UInt64 = 0
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
                dataBytes += try read(run.count, from: position, &states, place, store)
            }
            position += run.count * rules.granule
        }
        return (dataBytes, states)
    }

    /// Fails with `unsupported` where the place lies beyond what the target's tables can name.
    func checkRoom(_ reservation: HostOffset, _ bytes: UInt64) throws(DrayError) {
        let limit = rules.payloadLimit.bytes
        guard let end = reservation.bytes.adding(bytes), end <= limit else {
            let text =
                "the target would be longer than \(limit) bytes, which its format cannot have"
            throw DrayError(.unsupported, text, file: copy.target.name)
        }
    }

    /// Reads `count` granules from `start` (bytes from the range's first) and appends their states.
    private func read(
        _ count: UInt64,
        from start: UInt64,
        _ states: inout GranuleStates,
        _ place: (Int) throws(DrayError) -> (buffer: AlignedBuffer, start: Int),
        _ store: (AlignedBuffer, Range<Int>, Int) throws(DrayError) -> Void
    ) throws(DrayError) -> UInt64 {
        let step = UInt64(Self.step(granule: rules.granule))
        let end = start + count * rules.granule
        var position = start
        var read: UInt64 = 0
        while position < end {
            try copy.checkCancelled()
            let next = min(position + step, end)
            let valid = min(next, copy.range.length)
            let range = GuestRange(copy.range.start + position, length: valid - position)
            let (buffer, first) = try place(Int(position))
            let bytes = first..<first + Int(next - position)
            let behind = first + Int(range.length)
            try copy.reader.read(range, into: buffer, at: first)
            copy.hasher?.append(buffer, first..<behind)
            if behind < bytes.upperBound { buffer.zero(behind..<bytes.upperBound) }
            try sort(buffer, bytes, from: position, &states, store)
            copy.control.progress(range.length)
            read += range.length
            position = next
        }
        return read
    }

    /// Tells which granules of `bytes`, the first of which is `start` bytes from the range's first, are stored.
    private func sort(
        _ buffer: AlignedBuffer,
        _ bytes: Range<Int>,
        from start: UInt64,
        _ states: inout GranuleStates,
        _ store: (AlignedBuffer, Range<Int>, Int) throws(DrayError) -> Void
    ) throws(DrayError) {
        let granule = Int(rules.granule)
        for first in stride(from: bytes.lowerBound, to: bytes.upperBound, by: granule) {
            let position = start + UInt64(first - bytes.lowerBound)
            let content = first..<first + granule
            let isKept = copy.range.start.bytes + position < classification.storesZerosBefore
            if isKept || !buffer.isZero(content) {
                states.append(.data, 1)
                try store(buffer, content, Int(position))
            } else {
                appendZeros(1, from: position, &states)
            }
        }
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
        let end = min(start + count * rules.granule, copy.range.length)
        return GuestRange(copy.range.start + start, length: end - start)
    }

    /// Appends `count` granules of zeros from `start` (bytes from the range's first): marked where they hide a backing image.
    private func appendZeros(_ count: UInt64, from start: UInt64, _ states: inout GranuleStates) {
        let hidden = baseSize.subtractingOrZero(copy.range.start.bytes + start)
        let marked =
            rules.marksZeros
            ? min(count, hidden.dividedRoundingUp(by: rules.granule)) : 0
        if marked > 0 { states.append(.zero, marked) }
        if count > marked { states.append(.hole, count - marked) }
    }
}
