// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Storage
internal import Synchronization

/// Reads compressed streams of files, from any thread, in pieces that hold many of them: the streams of neighbouring clusters lie side by
/// side, and a system call for each would cost more than it brings.
///
/// A thread takes a piece out, with a decoder that goes with it, and puts both back: so it finds what it read last.
final class StreamWindows<Decoder>: Sendable {
    /// How much is read at a time where streams are read one behind the other, in bytes.
    private static var size: Int { 512 << 10 }

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

        /// Whether a stream at `place` follows those that were read here, or is one of them.
        func reaches(_ place: UInt64, _ storage: any Storage) -> Bool {
            file === storage && start <= place && place <= end
        }

        func distance(to place: UInt64, _ storage: any Storage) -> UInt64 {
            guard file === storage else { return .max }
            return end > place ? end - place : place - end
        }
    }

    private let longest: Int
    private let make: @Sendable () -> Decoder
    private let idle = Mutex<[Window]>([])

    /// Windows for streams of at most `longest` bytes, with decoders that `make` makes.
    init(longest: Int, _ make: @escaping @Sendable () -> Decoder) {
        self.longest = longest
        self.make = make
    }

    /// Lends a decoder and `bytes` of `storage`: where in the buffer they are. They lie inside the storage.
    func withStream<R>(
        _ bytes: Range<UInt64>,
        of storage: any Storage,
        _ body: (Decoder, AlignedBuffer, Range<Int>) throws(DrayError) -> R
    ) throws(DrayError) -> R {
        let window = take(for: bytes, storage)
        defer { idle.withLock { $0.append(window) } }
        if !window.holds(bytes, storage) { try fill(window, bytes, storage) }
        let first = Int(bytes.lowerBound - window.start)
        return try body(window.decoder, window.buffer, first..<first + bytes.count)
    }

    /// A window that holds `bytes`, or the one whose end is nearest.
    private func take(for bytes: Range<UInt64>, _ storage: any Storage) -> Window {
        let found = idle.withLock { windows -> Window? in
            if let index = windows.firstIndex(where: { $0.holds(bytes, storage) }) {
                return windows.remove(at: index)
            }
            let place = bytes.lowerBound
            let nearest = windows.indices.min {
                windows[$0].distance(to: place, storage) < windows[$1].distance(to: place, storage)
            }
            return nearest.map { windows.remove(at: $0) }
        }
        return found ?? Window(size: max(Self.size, longest), make())
    }

    /// Reads `bytes`, and more behind them where they follow what was read before: streams that are scattered are read one by one.
    private func fill(
        _ window: Window,
        _ bytes: Range<UInt64>,
        _ storage: any Storage
    ) throws(DrayError) {
        precondition(bytes.count <= longest, "the driver bounds the stream")
        let isNext = window.reaches(bytes.lowerBound, storage)
        let most = isNext ? UInt64(window.buffer.count) : UInt64(bytes.count)
        let end = max(bytes.upperBound, min(bytes.lowerBound + most, storage.length))
        window.file = nil
        let count = Int(end - bytes.lowerBound)
        try storage.read(HostOffset(bytes.lowerBound), into: window.buffer, 0..<count)
        window.start = bytes.lowerBound
        window.end = end
        window.file = storage
    }
}
