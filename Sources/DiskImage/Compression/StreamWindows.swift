// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Storage
internal import Synchronization

/// How many bytes the pieces of all files take that no thread uses.
private let idleBytes = Mutex(0)

/// Counts `bytes` of pieces that no thread uses any more; negative of those that one uses again.
private func countIdle(_ bytes: Int) {
    idleBytes.withLock { $0 += bytes }
    MemoryBudget.process.keep(bytes)
}

/// Reads compressed streams of files, from any thread, in pieces that hold many of them: the streams of neighbouring clusters lie side by
/// side, and a system call for each would cost more than it brings.
///
/// Several pieces are kept, and a piece begins a little before the stream that it is read for: who compressed with several threads wrote
/// clusters in the order in which they were ready, and what comes next in the guest may lie up to some MiB before or behind. With one
/// piece a thread, each beginning with its stream, such a file was read two and a half times, and with nine times as many calls.
///
/// A thread takes a piece out, with a decoder that goes with it, and puts both back.
final class StreamWindows<Decoder>: Sendable {
    /// How much is read at a time where streams are read one behind the other, in bytes, unless one is longer.
    private static var leastSize: Int { 512 << 10 }
    /// How much of that lies before the stream where others lie around it, in bytes.
    private static var lead: UInt64 { 128 << 10 }
    /// Up to here, in bytes, a stream is close to another.
    private static var near: UInt64 { 4 << 20 }
    /// How much memory the pieces take that no thread uses, in bytes: here, and of all files together.
    private static var mostIdle: Int { 8 << 20 }
    private static var mostIdleOfAll: Int { 48 << 20 }

    /// A piece of the file with a decoder.
    private final class Window: @unchecked Sendable {
        // @unchecked: whoever takes a window out of the list uses it alone until it is put back; the list's lock orders the two.
        let buffer: AlignedBuffer
        let decoder: Decoder
        /// What the piece is of; nil while it is of none.
        var file: (any Storage)?
        var start: UInt64 = 0
        var end: UInt64 = 0

        init(size: Int, _ decoder: Decoder) {
            buffer = AlignedBuffer(count: size)
            self.decoder = decoder
        }

        func holds(_ bytes: Range<UInt64>, _ storage: any Storage) -> Bool {
            file === storage && start <= bytes.lowerBound && bytes.upperBound <= end
        }

        /// How the stream at `place` lies to those that were read here.
        func neighbour(at place: UInt64, _ storage: any Storage) -> Neighbour {
            guard file === storage else { return .none }
            if start <= place, place <= end { return .before }
            let distance = place < start ? start - place : place - end
            return distance <= StreamWindows.near ? .around : .none
        }
    }

    /// What was read of a stream's surroundings.
    private enum Neighbour: Int {
        /// Nothing: a stream by itself, for all that is known.
        case none
        /// Something close.
        case around
        /// What comes before it, or its beginning.
        case before
    }

    private let longest: Int
    /// The size of a piece.
    private let size: Int
    private let make: @Sendable () -> Decoder
    /// The pieces that no thread uses, the one used last at the end.
    private let idle = Mutex<[Window]>([])

    /// How much memory a piece takes with its decoder, about, in bytes.
    var memory: Int { size + 256 << 10 }

    /// Windows for streams of at most `longest` bytes, with decoders that `make` makes.
    init(longest: Int, _ make: @escaping @Sendable () -> Decoder) {
        self.longest = longest
        size = max(Self.leastSize, longest)
        self.make = make
    }

    deinit {
        let memory = size * idle.withLock(\.count)
        countIdle(-memory)
    }

    /// Lends a decoder and `bytes` of `storage`: where in the buffer they are. They lie inside the storage.
    func withStream<R>(
        _ bytes: Range<UInt64>,
        of storage: any Storage,
        _ body: (Decoder, AlignedBuffer, Range<Int>) throws(DrayError) -> R
    ) throws(DrayError) -> R {
        let (window, neighbour) = take(for: bytes, storage)
        defer { keep(window) }
        if !window.holds(bytes, storage) { try fill(window, bytes, storage, neighbour) }
        let first = Int(bytes.lowerBound - window.start)
        return try body(window.decoder, window.buffer, first..<first + bytes.count)
    }

    /// Keeps a window for who comes next, unless all files' windows are too many by now; an older one of ours makes room.
    private func keep(_ window: Window) {
        idle.withLock { windows in
            let isKept = idleBytes.withLock { memory in
                guard memory + size <= Self.mostIdleOfAll else { return false }
                memory += size
                return true
            }
            if isKept { MemoryBudget.process.keep(size) }
            guard !isKept else { return windows.append(window) }
            if !windows.isEmpty {
                windows.removeFirst()
                windows.append(window)
            }
        }
    }

    /// A window that holds `bytes`; or else the one that was not used for longest or a new one, with what is known about the neighbourhood.
    private func take(for bytes: Range<UInt64>, _ storage: any Storage) -> (Window, Neighbour) {
        let (found, neighbour) = idle.withLock { windows -> (Window?, Neighbour) in
            if let index = windows.firstIndex(where: { $0.holds(bytes, storage) }) {
                countIdle(-size)
                return (windows.remove(at: index), .before)
            }
            let neighbours = windows.lazy.map { $0.neighbour(at: bytes.lowerBound, storage) }
            let nearest = neighbours.max { $0.rawValue < $1.rawValue } ?? .none
            let isFull = windows.count >= max(1, Self.mostIdle / size)
            guard isFull, !windows.isEmpty else { return (nil, nearest) }
            countIdle(-size)
            return (windows.removeFirst(), nearest)
        }
        return (found ?? Window(size: size, make()), neighbour)
    }

    /// Reads `bytes`, and more where other streams were read close by: streams that are scattered are read one by one.
    private func fill(
        _ window: Window,
        _ bytes: Range<UInt64>,
        _ storage: any Storage,
        _ neighbour: Neighbour
    ) throws(DrayError) {
        precondition(bytes.count <= longest, "the driver bounds the stream")
        let size = UInt64(window.buffer.count)
        let lead = min(Self.lead, size - UInt64(bytes.count), bytes.lowerBound)
        let start = bytes.lowerBound - (neighbour == .around ? lead : 0)
        let most = neighbour == .none ? bytes.upperBound : min(start + size, storage.length)
        let end = max(bytes.upperBound, most)
        window.file = nil
        let count = Int(end - start)
        try storage.read(HostOffset(start), into: window.buffer, 0..<count)
        window.start = start
        window.end = end
        window.file = storage
    }
}
