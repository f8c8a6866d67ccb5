// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Storage

/// Reads and decodes the compressed grains of an extent, from any thread.
final class VMDKGrainDecoder: Sendable {
    /// A grain to decode.
    struct Grain {
        /// Where its marker, or without markers its stream, starts.
        let place: UInt64
        /// Where the grain starts, in bytes of the extent.
        let start: UInt64
        /// How many bytes of it the disk reaches: a stream may end there.
        let needed: Int
    }

    private let storage: any Storage
    private let length: UInt64
    private let grainSize: Int
    private let hasMarkers: Bool
    private let windows: StreamWindows<DeflateDecoder>

    /// A decoder of grains of `grainSize` bytes, with or without markers.
    init(
        _ metadata: StorageMetadata,
        grainSize: Int,
        hasMarkers: Bool,
        caches: VMDKCaches
    ) {
        storage = metadata.storage
        length = metadata.length
        self.grainSize = grainSize
        self.hasMarkers = hasMarkers
        windows = caches.windows(grainSize: grainSize)
    }

    /// How much memory a thread needs, in bytes: a window with its decoder, and a grain that is wanted in part.
    var readingMemory: Int { windows.memory + grainSize }

    /// Decodes `grain` into `buffer` from `start`, a grain's size at most. Fails with `corrupt` where its marker is another grain's
    /// or its stream does not give exactly a grain (the disk's last one may end with the disk).
    func decode(_ grain: Grain, into buffer: AlignedBuffer, at start: Int) throws(DrayError) {
        let longest = UInt64(grainSize * 2 + VMDK.grainMarkerLength)
        let bytes = grain.place..<min(grain.place + longest, length)
        let problem = try windows.withStream(bytes, of: storage) {
            (decoder, source, place) throws(DrayError) in
            decoder.decode(
                source,
                hasMarkers ? try stream(of: grain, source, place) : place,
                into: buffer,
                start..<start + grainSize,
                atLeast: grain.needed
            )
        }
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

    private func error(_ grain: Grain, _ problem: String) -> DrayError {
        DrayError(
            .corrupt,
            "the compressed grain for offset \(grain.start) of the extent \(problem)",
            file: storage.name,
            offset: grain.place
        )
    }
}
