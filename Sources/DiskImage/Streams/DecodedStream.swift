// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Glibc
internal import Storage

/// What a compressed stream decodes to, as a storage: decoded where it is read, kept no longer than others need it.
///
/// ``StreamState`` has the rules of who decodes what. Threads that read stretches should say so by ``beginReading(_:_:)``.
final class DecodedStream: Storage {
    let name: String
    let alignment = IOAlignment.none
    let isZeroInitialized = false
    let index: StreamIndex
    private let file: any Storage
    private let kind: StreamKind
    private let room: StreamRoom
    private let opened: StorageIdentity
    private let monitor: Monitor<StreamState>
    private let lastUse: Monitor<Int>

    /// The stream of `kind` in `file`, decoded once as a whole: see ``StreamScan``.
    init(
        _ file: any Storage,
        _ kind: StreamKind,
        room: StreamRoom,
        pulse: Pulse
    ) throws(DrayError) {
        self.file = file
        self.kind = kind
        self.room = room
        name = file.name
        opened = try file.identity()
        index = try room.index(of: file, kind, pulse)
        monitor = Monitor(StreamState(index, room))
        lastUse = Monitor(Self.now)
        room.demand(index.decoderMemory)
        room.keep(index.memory)
        room.add(self)
    }

    deinit {
        monitor.withLock { $0.shed() }
        room.withdraw(index.decoderMemory)
        room.keep(-index.memory)
    }

    var length: UInt64 { index.length }

    func identity() throws(DrayError) -> StorageIdentity { try file.identity() }

    func extent(at offset: HostOffset, limit: UInt64) throws(DrayError) -> StorageExtent {
        guard offset.bytes < length, limit > 0 else {
            throw DrayError(.corrupt, "nothing lies here", file: name, offset: offset.bytes)
        }
        let run = index.zeros.run(at: offset.bytes, end: length)
        return StorageExtent(
            isData: !run.isZero,
            length: min(limit, run.bytes.upperBound - offset.bytes)
        )
    }

    /// Says that the calling thread will read `bytes` from the first to the last; the id is for ``endReading(_:)``.
    func beginReading(_ bytes: Range<UInt64>, _ pulse: Pulse) -> Int {
        lastUse.withLock { $0 = Self.now }
        return monitor.withLock { $0.begin(bytes, Self.thread, pulse) }
    }

    /// The thread reads no more of what it said.
    func endReading(_ id: Int) {
        monitor.withLock { $0.end(id) }
        lastUse.withLock { $0 = Self.now }
        monitor.wake()
    }

    /// Whether there are decoders here that a thread needs, which has not read all that it will.
    func isNeeded(on thread: UInt) -> Bool { monitor.withLock { $0.isNeeded(on: thread) } }

    /// Gives decoders and chunks back where nobody has begun or ended reading for so many milliseconds, and nobody reads.
    /// Threads that wait `elsewhere` do not read before they begin.
    func shed(idleTime: Int, elsewhere: Set<UInt>) {
        guard lastUse.withLock({ Self.now - $0 }) >= idleTime else { return }
        monitor.withLock { $0.shed(elsewhere: elsewhere) }
    }

    func read(_ offset: HostOffset, into buffer: AlignedBuffer, _ range: Range<Int>)
        throws(DrayError)
    {
        guard let end = offset.bytes.adding(UInt64(range.count)), end <= length else {
            let text = "\(range.count) bytes are wanted here, but what is inside ends at \(length)"
            throw DrayError(.corrupt, text, file: name, offset: offset.bytes)
        }
        // Other bytes than those that were indexed might decode to something else without an error.
        if let error = try changed() { throw error }
        let bytes = offset.bytes..<end
        if let reader = monitor.withLock({ $0.reader(on: Self.thread, of: bytes) }) {
            return try read(bytes, into: buffer, range.lowerBound, reader)
        }
        let id = beginReading(bytes, .unheeded)
        defer { endReading(id) }
        guard let reader = monitor.withLock({ $0.reader(on: Self.thread, of: bytes) }) else {
            throw DrayError(.bug, "a reader that has begun is not known")
        }
        try read(bytes, into: buffer, range.lowerBound, reader)
    }

    private func read(
        _ bytes: Range<UInt64>,
        into buffer: AlignedBuffer,
        _ start: Int,
        _ reader: StreamReader
    ) throws(DrayError) {
        let size = UInt64(UnitSize.chunk)
        var position = bytes.lowerBound
        while position < bytes.upperBound {
            let number = position / size
            let end = min((number + 1) * size, bytes.upperBound)
            let chunk = try chunk(number, reader)
            let inside = Int(position % size)
            buffer.copy(
                chunk.buffer,
                inside..<inside + Int(end - position),
                to: start + Int(position - bytes.lowerBound)
            )
            let taken = position..<end
            monitor.withLock { $0.took(taken, of: number, reader: reader.id) }
            monitor.wake()
            position = end
        }
    }

    /// Chunk `number`, decoded here or by another thread.
    private func chunk(_ number: UInt64, _ reader: StreamReader) throws(DrayError) -> DecodedChunk {
        var isImpatient = false
        var patience = StreamPatience()
        defer { room.note(reader.thread, isQueued: false) }
        while true {
            let (turn, changes) = monitor.withLock { state in
                (state.turn(for: number, isImpatient: isImpatient), state.changes)
            }
            var isAlone = false
            switch turn {
            case .have(let chunk): return chunk
            case .drive(let cursor):
                if let chunk = try drive(cursor, to: number, reader, isImpatient) { return chunk }
            case .open(let cursor, let point):
                try open(cursor, at: point)
                if let chunk = try drive(cursor, to: number, reader, isImpatient) { return chunk }
            case .wait: room.reclaim()
            case .waitForRoom:
                room.note(reader.thread, isQueued: true)
                room.reclaim(idleTime: StreamRoom.shortIdleTime)
                // What this thread needs elsewhere is not given back before it goes on.
                isAlone = room.isNeeded(on: reader.thread, besides: self)
            }
            let isOver = patience.isOver(turn, changes: changes, activity: room.activity)
            isImpatient = isOver || isAlone
            if turn.isWaiting {
                _ = monitor.wait(milliseconds: 100) { $0.changes == changes ? nil : true }
            }
            try reader.pulse.beat()
        }
    }

    private func open(
        _ cursor: StreamCursor,
        at point: RestartPoints.Point
    ) throws(DrayError) {
        do throws(DrayError) {
            cursor.decoder = try kind.decoder(of: file, at: point.state)
        } catch {
            monitor.withLock { $0.lose(cursor) }
            monitor.wake()
            throw error
        }
    }

    /// Decodes from where `cursor` is to chunk `number`, and frees the cursor; nil where something else was in the way.
    private func drive(
        _ cursor: StreamCursor,
        to number: UInt64,
        _ reader: StreamReader,
        _ isImpatient: Bool
    ) throws(DrayError) -> DecodedChunk? {
        defer { monitor.wake() }
        do throws(DrayError) {
            while true {
                let next = cursor.position / UInt64(UnitSize.chunk)
                guard next < number else { break }
                // Where a chunk is entered in its middle, its beginning is not there to be kept.
                let isWhole = cursor.position % UInt64(UnitSize.chunk) == 0
                let passing = monitor.withLock { state in
                    isWhole ? state.passing(next, isImpatient: isImpatient) : .drop
                }
                if passing == .stop {
                    monitor.withLock { $0.moved(cursor, to: cursor.position, isBusy: false) }
                    return nil
                }
                try decodePassing(cursor, next, passing, reader)
            }
            let chunk = try decode(cursor, number, reader)
            room.take(UnitSize.chunk)
            monitor.withLock { state in
                state.keep(chunk, number)
                state.moved(cursor, to: end(of: number), isBusy: false)
            }
            return chunk
        } catch {
            monitor.withLock { $0.lose(cursor) }
            throw error
        }
    }

    private func decodePassing(
        _ cursor: StreamCursor,
        _ number: UInt64,
        _ passing: StreamState.Passing,
        _ reader: StreamReader
    ) throws(DrayError) {
        do throws(DrayError) {
            let chunk = try decode(cursor, number, reader)
            monitor.withLock { state in
                if passing == .keep { state.keep(chunk, number) }
                state.moved(cursor, to: end(of: number), isBusy: true)
            }
            monitor.wake()
        } catch {
            if passing == .keep { room.give(UnitSize.chunk) }
            throw error
        }
    }

    /// Decodes the rest of chunk `number`, in which `cursor` is.
    private func decode(
        _ cursor: StreamCursor,
        _ number: UInt64,
        _ reader: StreamReader
    ) throws(DrayError) -> DecodedChunk {
        let chunk = DecodedChunk(pool: room.buffers)
        guard let decoder = cursor.decoder else { throw DrayError(.bug, "a cursor has no decoder") }
        let inside = Int(cursor.position % UInt64(UnitSize.chunk))
        let count = Int(end(of: number) - cursor.position) + inside
        var filled = inside
        while filled < count {
            try reader.pulse.beat()
            do throws(DrayError) {
                filled += try decoder.decode(
                    into: chunk.buffer,
                    filled..<count,
                    stopsToRestart: false
                )
            } catch { throw try changed() ?? error }
            guard filled < count, decoder.isAtEnd else { continue }
            throw try changed()
                ?? DrayError(.bug, "a stream ended earlier than before", file: name)
        }
        return chunk
    }

    private func end(of number: UInt64) -> UInt64 {
        min((number + 1) * UInt64(UnitSize.chunk), length)
    }

    /// The error about a file that is not what it was when it was opened, if so.
    private func changed() throws(DrayError) -> DrayError? {
        guard try file.identity() != opened else { return nil }
        let text =
            "the source changed while it was read; run the job again when nothing writes to it"
        return DrayError(.changed, text, file: name)
    }

    private static var thread: UInt { pthread_self() }

    private static var now: Int {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }
}

extension DecodedStream: ReadOnlyStorage {}
