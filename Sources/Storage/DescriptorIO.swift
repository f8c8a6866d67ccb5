// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Glibc
internal import Synchronization

/// Moves bytes between buffers and a descriptor: whole or an error, through buffers of its own where O_DIRECT
/// wants other alignments than the caller has.
final class DescriptorIO: Sendable {
    /// The open file.
    let descriptor: FileDescriptor
    /// The name for messages.
    let name: String
    /// What O_DIRECT wants; 1 without it.
    let alignment: IOAlignment
    /// Bounce buffers: a chunk, and a request unit at each end.
    private let bounce: BufferPool
    /// Held while a unit is read, changed and written back, so that two threads that share a unit do not lose
    /// each other's bytes. Aligned writes never touch a unit of another's, and need no lock.
    private let patching = Mutex<Void>(())
    /// How the first flush that failed did so; held while flushing.
    private let flushFailure = Mutex<SystemErrorNumber?>(nil)

    init(_ descriptor: FileDescriptor, name: String, alignment: IOAlignment) {
        self.descriptor = descriptor
        self.name = name
        self.alignment = alignment
        bounce = BufferPool(bufferSize: max(UnitSize.chunk, alignment.request))
    }

    /// Reads `range.count` bytes at `offset`; the caller has compared them with the length.
    func read(_ offset: UInt64, into buffer: AlignedBuffer, _ range: Range<Int>) throws(DrayError) {
        if isAligned(offset, range) {
            _ = try readUpTo(offset, into: buffer, range, atLeast: range.count)
            return
        }
        try bounce.withBuffer { (unit) throws(DrayError) in
            try forEachPiece(offset, range) { (piece) throws(DrayError) in
                _ = try readUpTo(
                    piece.outerStart,
                    into: unit,
                    0..<piece.outerCount,
                    atLeast: piece.skipped + piece.inner.count
                )
                let wanted = piece.skipped..<piece.skipped + piece.inner.count
                buffer.copy(unit, wanted, to: piece.inner.lowerBound)
            }
        }
    }

    /// Writes `range` at `offset`. Returns the end of what was written, which lies beyond the range's end where
    /// a whole unit had to be written behind the file's end.
    func write(_ offset: UInt64, from buffer: AlignedBuffer, _ range: Range<Int>)
        throws(DrayError) -> UInt64
    {
        if isAligned(offset, range) {
            try writeFully(offset, from: buffer, range)
            return offset + UInt64(range.count)
        }
        var end = offset
        try bounce.withBuffer { (unit) throws(DrayError) in
            try forEachPiece(offset, range) { (piece) throws(DrayError) in
                try patch(piece, of: buffer, through: unit)
                end = piece.outerStart + UInt64(piece.outerCount)
            }
        }
        return end
    }

    private func patch(_ piece: Piece, of buffer: AlignedBuffer, through unit: AlignedBuffer)
        throws(DrayError)
    {
        let outcome = patching.withLock { _ -> Result<Void, DrayError> in
            do throws(DrayError) {
                if piece.outerCount > piece.inner.count {
                    // Behind the file's end nothing is read: those bytes are zeros.
                    let count = try readUpTo(
                        piece.outerStart,
                        into: unit,
                        0..<piece.outerCount,
                        atLeast: 0
                    )
                    unit.zero(count..<piece.outerCount)
                }
                unit.copy(buffer, piece.inner, to: piece.skipped)
                try writeFully(piece.outerStart, from: unit, 0..<piece.outerCount)
                return .success(())
            } catch { return .failure(error) }
        }
        try outcome.get()
    }

    /// A part of an unaligned request: whole units of the file around bytes of the caller's buffer.
    private struct Piece {
        let outerStart: UInt64
        let outerCount: Int
        let skipped: Int
        let inner: Range<Int>
    }

    private func forEachPiece(
        _ offset: UInt64,
        _ range: Range<Int>,
        _ body: (Piece) throws(DrayError) -> Void
    ) throws(DrayError) {
        let unit = UInt64(alignment.request)
        var done = 0
        while done < range.count {
            let start = offset + UInt64(done)
            let outerStart = start.roundedDown(to: unit)
            let skipped = Int(start - outerStart)
            let count = min(range.count - done, bounce.bufferSize - skipped)
            let outerCount = Int(UInt64(skipped + count).dividedRoundingUp(by: unit) * unit)
            let inner = range.lowerBound + done..<range.lowerBound + done + count
            try body(
                Piece(
                    outerStart: outerStart,
                    outerCount: outerCount,
                    skipped: skipped,
                    inner: inner
                )
            )
            done += count
        }
    }

    private func isAligned(_ offset: UInt64, _ range: Range<Int>) -> Bool {
        if alignment == .none { return true }
        return range.lowerBound % alignment.memory == 0
            && range.count % alignment.request == 0
            && offset % UInt64(alignment.request) == 0
    }

    /// Reads until `range` is full or the file ends; an end before `atLeast` bytes is an error. Returns the count.
    private func readUpTo(
        _ offset: UInt64,
        into buffer: AlignedBuffer,
        _ range: Range<Int>,
        atLeast: Int
    ) throws(DrayError) -> Int {
        var done = 0
        while done < range.count {
            let place = off_t(offset) + off_t(done)
            let result = unsafe buffer.withMutableBytes(
                range.lowerBound + done..<range.upperBound
            ) { bytes in
                systemCall {
                    unsafe pread(descriptor.number, bytes.baseAddress, bytes.count, place)
                }
            }
            switch result {
            case .success(let count) where count > 0:
                done += count
                // A count that O_DIRECT cannot go on from is the last unit of the file.
                guard done % alignment.request != 0 else { continue }
                return try ended(offset, done, atLeast)
            case .success:
                return try ended(offset, done, atLeast)
            case .failure(let error):
                throw failure("cannot read \(range.count - done) bytes", offset, done, error)
            }
        }
        return done
    }

    private func ended(_ offset: UInt64, _ done: Int, _ atLeast: Int) throws(DrayError) -> Int {
        guard done < atLeast else { return done }
        throw DrayError(
            .changed,
            "the file ends here, and was longer when it was opened",
            file: name,
            offset: offset + UInt64(done)
        )
    }

    private func writeFully(_ offset: UInt64, from buffer: AlignedBuffer, _ range: Range<Int>)
        throws(DrayError)
    {
        var done = 0
        while done < range.count {
            let place = off_t(offset) + off_t(done)
            let result = unsafe buffer.withBytes(range.lowerBound + done..<range.upperBound) {
                bytes in
                systemCall {
                    unsafe pwrite(descriptor.number, bytes.baseAddress, bytes.count, place)
                }
            }
            switch result {
            case .success(let count) where count > 0:
                done += count
            case .success:
                // pwrite(2) of more than nothing that writes nothing: no space is the only known reason.
                throw failure(
                    "cannot write \(range.count - done) bytes",
                    offset,
                    done,
                    SystemErrorNumber(number: ENOSPC)
                )
            case .failure(let error):
                throw failure("cannot write \(range.count - done) bytes", offset, done, error)
            }
        }
    }

    private func failure(_ text: String, _ offset: UInt64, _ done: Int, _ error: SystemErrorNumber)
        -> DrayError
    {
        DrayError(
            .resource,
            text,
            file: name,
            offset: offset + UInt64(done),
            errno: error.number
        )
    }

    /// Makes what was written durable: fdatasync(2). Once it has failed it fails for good: the kernel drops the pages that it
    /// could not write and tells of it once, so the next call would succeed with the data lost. One flush at a time, lest
    /// the error go to another thread than the one whose data it was.
    func flush() throws(DrayError) {
        let failed = flushFailure.withLock { failure -> SystemErrorNumber? in
            guard failure == nil else { return failure }
            if case .failure(let error) = systemCall({ fdatasync(descriptor.number) }) {
                failure = error
            }
            return failure
        }
        guard let failed else { return }
        throw DrayError(
            .resource,
            "cannot make the file durable",
            file: name,
            errno: failed.number
        )
    }
}
