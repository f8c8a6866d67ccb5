// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

/// Who reads a stream where, what is decoded for them, and which decoder goes on for whom: the rules, without I/O.
///
/// Readers go forward through stretches of their own. Each drives a decoder itself, its own where the stream can be entered near
/// its stretch. Else it drives the one that comes from before, past what others read: that is kept for them, within the room
/// there is. Who has no room waits until others have taken theirs. Nobody waits for a reader for ever: after a while without any
/// change what is in the way is dropped, and whoever needs it again begins at the last place where the stream can be entered.
struct StreamState {
    /// What a reader that wants a chunk does next.
    enum Turn {
        /// Takes it.
        case have(DecodedChunk)
        /// Drives this decoder to it.
        case drive(StreamCursor)
        /// Makes a decoder at this point for the cursor, and drives that.
        case open(StreamCursor, RestartPoints.Point)
        /// Waits for a change.
        case wait
        /// Waits until other streams need less memory.
        case waitForRoom

        /// Whether there is nothing to do yet.
        var isWaiting: Bool {
            switch self {
            case .wait, .waitForRoom: true
            case .have, .drive, .open: false
            }
        }
    }

    /// What becomes of a chunk that lies before the wanted one.
    enum Passing {
        /// It is kept; the room for it is taken.
        case keep
        /// Nobody wants it.
        case drop
        /// There is no room: the decoder stays where it is.
        case stop
    }

    /// How many cursors there are at most.
    static let mostCursors = 16
    /// How much memory cursors may take beside the first, in bytes.
    static let cursorMemory = 64 << 20
    /// How many chunks are kept at most while there is room; how many where there is no more than what is promised to all streams;
    /// and how many in any case.
    static let mostChunks = 96
    static let usualChunks = 32
    static let fewestChunks = 4

    private let index: StreamIndex
    private let room: StreamRoom
    private(set) var cursors: [StreamCursor] = []
    private(set) var chunks: [UInt64: DecodedChunk] = [:]
    private(set) var readers: [StreamReader] = []
    private var nextReader = 0
    /// Counts what others may wait for.
    private(set) var changes = 0

    /// Nobody reads yet.
    init(_ index: StreamIndex, _ room: StreamRoom) {
        self.index = index
        self.room = room
    }

    // MARK: Readers

    /// Adds a reader of `bytes`; its id.
    mutating func begin(_ bytes: Range<UInt64>, _ thread: UInt, _ pulse: Pulse) -> Int {
        nextReader += 1
        readers.append(
            StreamReader(
                id: nextReader,
                thread: thread,
                bytes: bytes,
                pulse: pulse,
                position: bytes.lowerBound
            )
        )
        return nextReader
    }

    /// The reader is done.
    mutating func end(_ id: Int) {
        readers.removeAll { $0.id == id }
        changes += 1
    }

    /// The reader on `thread` whose stretch `bytes` is part of.
    func reader(on thread: UInt, of bytes: Range<UInt64>) -> StreamReader? {
        readers.last { $0.thread == thread && $0.bytes.clamped(to: bytes) == bytes }
    }

    /// The reader has read `bytes`, which lie in chunk `number`.
    mutating func took(_ bytes: Range<UInt64>, of number: UInt64, reader id: Int) {
        if let place = readers.firstIndex(where: { $0.id == id }) {
            readers[place].position = max(readers[place].position, bytes.upperBound)
        }
        guard let chunk = chunks[number] else { return }
        chunk.unread = chunk.unread.subtractingOrZero(index.zeros.dataCount(in: bytes))
        if chunk.unread == 0 { remove(number) }
    }

    // MARK: Turns

    /// What the reader of chunk `number` does next. With `isImpatient` it has seen no change for long.
    mutating func turn(for number: UInt64, isImpatient: Bool) -> Turn {
        if let chunk = chunks[number] { return .have(chunk) }
        let start = number * UInt64(UnitSize.chunk)
        let point = index.restarts.point(before: start)
        let best = cursors.filter { $0.position <= start }.max { $0.position < $1.position }
        if let best, best.position >= point.guest {
            guard !best.isBusy else { return .wait }
            if isImpatient || mayPass(best, to: number) { return take(best) }
            return .wait
        }
        if let cursor = freshCursor(at: point, isImpatient) { return .open(cursor, point) }
        return cursors.isEmpty ? .waitForRoom : .wait
    }

    private mutating func take(_ cursor: StreamCursor) -> Turn {
        cursor.isBusy = true
        return .drive(cursor)
    }

    private mutating func freshCursor(
        at point: RestartPoints.Point,
        _ isImpatient: Bool
    ) -> StreamCursor? {
        if cursors.isEmpty {
            guard room.tryTakeDecoder(index.decoderMemory, isUrgent: isImpatient) else {
                return nil
            }
        } else if !hasRoomForCursor() {
            guard let old = cursors.firstIndex(where: { isIdle($0, isImpatient) }) else {
                return nil
            }
            // The new one takes its room.
            cursors.remove(at: old)
        }
        let cursor = StreamCursor(position: point.guest)
        cursors.append(cursor)
        return cursor
    }

    private func hasRoomForCursor() -> Bool {
        cursors.count < Self.mostCursors
            && (cursors.count + 1) * index.decoderMemory <= Self.cursorMemory
            && room.tryTake(index.decoderMemory)
    }

    /// Whether nobody goes on from where the cursor is.
    private func isIdle(_ cursor: StreamCursor, _ isImpatient: Bool) -> Bool {
        !cursor.isBusy && (isImpatient || !readers.contains { $0.bytes.contains(cursor.position) })
    }

    /// Whether the chunk that the cursor comes to next can be passed, or is the one that is wanted.
    private mutating func mayPass(_ cursor: StreamCursor, to number: UInt64) -> Bool {
        let next = cursor.position / UInt64(UnitSize.chunk)
        guard next < number, isWanted(next), chunks[next] == nil else { return true }
        return hasFreeChunk()
    }

    /// What becomes of chunk `number`, which a cursor comes to on its way to another.
    mutating func passing(_ number: UInt64, isImpatient: Bool) -> Passing {
        guard chunks[number] == nil, dataCount(number) > 0 else { return .drop }
        let isWanted = isWanted(number)
        if hasFreeChunk() {
            room.take(UnitSize.chunk)
            return .keep
        }
        return isWanted && !isImpatient ? .stop : .drop
    }

    /// Keeps a decoded chunk, for which there is room.
    mutating func keep(_ chunk: DecodedChunk, _ number: UInt64) {
        guard chunks[number] == nil else { return room.give(UnitSize.chunk) }
        chunk.unread = dataCount(number)
        chunks[number] = chunk
        changes += 1
    }

    /// The cursor has come to `position` and is free again, or goes on.
    mutating func moved(_ cursor: StreamCursor, to position: UInt64, isBusy: Bool) {
        cursor.position = position
        cursor.isBusy = isBusy
        changes += 1
    }

    /// The cursor is of no use any more.
    mutating func lose(_ cursor: StreamCursor) {
        guard let place = cursors.firstIndex(where: { $0 === cursor }) else { return }
        cursors.remove(at: place)
        if cursors.isEmpty {
            room.giveDecoder(index.decoderMemory)
        } else {
            room.give(index.decoderMemory)
        }
        changes += 1
    }

    /// Gives everything back, where nobody reads any more: those do not who have read all, nor `elsewhere` threads before they begin.
    mutating func shed(elsewhere: Set<UInt> = []) {
        let isRead = readers.allSatisfy { reader in
            hasRead(reader) || !reader.hasBegun && elsewhere.contains(reader.thread)
        }
        guard isRead, !cursors.contains(where: \.isBusy) else { return }
        for number in chunks.keys { remove(number) }
        for cursor in cursors { lose(cursor) }
    }

    /// Whether a reader has read all that it will.
    private func hasRead(_ reader: StreamReader) -> Bool {
        reader.position >= reader.bytes.upperBound
            || index.zeros.dataCount(in: reader.position..<reader.bytes.upperBound) == 0
    }

    /// Whether there are decoders that a thread needs, which has not read all that it will.
    func isNeeded(on thread: UInt) -> Bool {
        !cursors.isEmpty
            && readers.contains { $0.thread == thread && $0.hasBegun && !hasRead($0) }
    }

    // MARK: Chunks

    private func isWanted(_ number: UInt64) -> Bool {
        let start = number * UInt64(UnitSize.chunk)
        let bytes = start..<start + UInt64(UnitSize.chunk)
        return readers.contains {
            max($0.position, bytes.lowerBound) < min($0.bytes.upperBound, bytes.upperBound)
        }
    }

    private func dataCount(_ number: UInt64) -> UInt64 {
        let start = number * UInt64(UnitSize.chunk)
        return index.zeros.dataCount(in: start..<min(start + UInt64(UnitSize.chunk), index.length))
    }

    /// Whether one more chunk can be kept; what nobody wants makes way for it.
    private mutating func hasFreeChunk() -> Bool {
        if chunks.count < Self.fewestChunks { return true }
        if chunks.count < Self.usualChunks, room.hasPromised(UnitSize.chunk) { return true }
        if chunks.count < Self.mostChunks, room.hasRoom(UnitSize.chunk) { return true }
        guard let old = chunks.keys.filter({ !isWanted($0) }).min() else { return false }
        remove(old)
        return true
    }

    private mutating func remove(_ number: UInt64) {
        guard chunks.removeValue(forKey: number) != nil else { return }
        room.give(UnitSize.chunk)
        changes += 1
    }
}
