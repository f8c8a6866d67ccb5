// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Storage
internal import Synchronization

/// Reads and decodes the compressed grains of an extent, from any thread.
///
/// The streams of neighbouring grains lie side by side: they are read many at a time, into windows that threads find again.
final class VMDKGrainDecoder: Sendable {
    /// A piece of the file with a decoder.
    private final class Window: @unchecked Sendable {
        // @unchecked: whoever takes a window out of the list uses it alone until it is put back; the list's lock orders the two.
        let buffer: AlignedBuffer
        let decoder = DeflateDecoder(.zlib)
        var start: UInt64 = 0
        var end: UInt64 = 0

        init(size: Int) { buffer = AlignedBuffer(count: size) }

        func holds(_ bytes: Range<UInt64>) -> Bool {
            start <= bytes.lowerBound && bytes.upperBound <= end
        }
    }

    /// A grain to decode.
    struct Grain {
        /// Where its marker, or without markers its stream, starts.
        let place: UInt64
        /// Where the grain starts, in bytes of the extent.
        let start: UInt64
        /// How many bytes of it the disk reaches: a stream may end there.
        let needed: Int
    }

    private static let windowSize = 512 << 10

    private let storage: any Storage
    private let length: UInt64
    private let grainSize: Int
    private let hasMarkers: Bool
    private let idle = Mutex<[Window]>([])

    /// A decoder of grains of `grainSize` bytes, with or without markers.
    init(_ metadata: StorageMetadata, grainSize: Int, hasMarkers: Bool) {
        storage = metadata.storage
        length = metadata.length
        self.grainSize = grainSize
        self.hasMarkers = hasMarkers
    }

    /// Decodes `grain` into `buffer` from `start`, a grain's size at most. Fails with `corrupt` where its marker is another grain's
    /// or its stream does not give exactly a grain (the disk's last one may end with the disk).
    func decode(_ grain: Grain, into buffer: AlignedBuffer, at start: Int) throws(DrayError) {
        let longest = UInt64(grainSize * 2 + VMDK.grainMarkerLength)
        let bytes = grain.place..<min(grain.place + longest, length)
        let window = try window(holding: bytes)
        defer { idle.withLock { $0.append(window) } }
        var input = Int(bytes.lowerBound - window.start)..<Int(bytes.upperBound - window.start)
        if hasMarkers { input = try stream(of: grain, window.buffer, input) }
        let problem = window.decoder.decode(
            window.buffer,
            input,
            into: buffer,
            start..<start + grainSize,
            atLeast: grain.needed
        )
        guard let problem else { return }
        throw error(grain, "cannot be read: \(problem)")
    }

    /// The bytes of the stream behind the marker that `input` begins with.
    private func stream(
        of grain: Grain,
        _ buffer: AlignedBuffer,
        _ input: Range<Int>
    ) throws(DrayError) -> Range<Int> {
        guard input.count > VMDK.grainMarkerLength else {
            throw error(grain, "has no marker: the file ends here")
        }
        let sector = buffer.littleEndian(input.lowerBound, as: UInt64.self)
        let size = buffer.littleEndian(input.lowerBound + 8, as: UInt32.self)
        guard sector == grain.start / VMDK.sector else {
            throw error(grain, "has the marker of sector \(sector)")
        }
        guard size > 0, size <= grainSize * 2 else {
            throw error(grain, "has a stream of \(size) bytes by its marker")
        }
        let first = input.lowerBound + VMDK.grainMarkerLength
        guard first + Int(size) <= input.upperBound else {
            throw error(grain, "has a stream of \(size) bytes, before which the file ends")
        }
        return first..<first + Int(size)
    }

    /// A window that holds `bytes`, taken out of the list: one that does already, or the one whose end is nearest, filled anew.
    private func window(holding bytes: Range<UInt64>) throws(DrayError) -> Window {
        let found = idle.withLock { windows -> Window? in
            if let index = windows.firstIndex(where: { $0.holds(bytes) }) {
                return windows.remove(at: index)
            }
            let distance = { (window: Window) in
                window.end > bytes.lowerBound
                    ? window.end - bytes.lowerBound : bytes.lowerBound - window.end
            }
            let nearest = windows.indices.min { distance(windows[$0]) < distance(windows[$1]) }
            return nearest.map { windows.remove(at: $0) }
        }
        let size = max(Self.windowSize, grainSize * 2 + VMDK.grainMarkerLength)
        let window = found ?? Window(size: size)
        guard !window.holds(bytes) else { return window }
        window.end = 0
        let count = Int(min(UInt64(size), length - bytes.lowerBound))
        do throws(DrayError) {
            try storage.read(HostOffset(bytes.lowerBound), into: window.buffer, 0..<count)
        } catch {
            idle.withLock { $0.append(window) }
            throw error
        }
        window.start = bytes.lowerBound
        window.end = bytes.lowerBound + UInt64(count)
        return window
    }

    private func error(_ grain: Grain, _ problem: String) -> DrayError {
        DrayError(
            .corrupt,
            "the compressed grain for offset \(grain.start) of the extent \(problem)",
            file: storage.name,
            offset: grain.place
        )
    }
}
