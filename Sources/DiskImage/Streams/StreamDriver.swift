// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
package import Storage

/// Reads a raw image inside a compressed stream: the guest's bytes are what the stream decodes to.
package final class StreamDriver: ImageDriver {
    package let format: ImageFormat
    package let storage: any Storage
    private let stream: DecodedStream

    /// A driver for the stream in `storage`, which it decodes as a whole: this may take long, and calls `pulse` meanwhile.
    /// What it needs for decoding is taken from `room`, which streams share.
    package init(
        storage: any Storage,
        _ kind: StreamKind,
        room: StreamRoom,
        pulse: Pulse
    ) throws(DrayError) {
        self.storage = storage
        format = kind.format
        stream = try DecodedStream(storage, kind, room: room, pulse: pulse)
    }

    package var storages: [any Storage] { [storage] }
    /// How many bytes the stream decodes to.
    package var guestSize: UInt64 { stream.length }
    package var backing: BackingReference? { nil }
    package var sharedMemory: Int { stream.index.decoderMemory + StreamRoom.chunkMemory }

    package func map(_ offset: GuestOffset, limit: UInt64) throws(DrayError) -> LayerExtent {
        let host = HostOffset(offset.bytes)
        let run = try stream.extent(at: host, limit: min(limit, guestSize - offset.bytes))
        return LayerExtent(
            length: run.length,
            place: run.isData ? .data(stream, host) : .zero(storage, nil)
        )
    }

    package func decode(
        _ cluster: CompressedCluster,
        into buffer: AlignedBuffer,
        at start: Int
    ) throws(DrayError) {
        throw DrayError(.bug, "a stream has no clusters", file: storage.name)
    }

    package func beginReading(_ range: GuestRange, _ pulse: Pulse) -> Int? {
        stream.beginReading(range.start.bytes..<range.end.bytes, pulse)
    }

    package func endReading(_ id: Int) { stream.endReading(id) }

    package func check() throws(DrayError) -> CheckReport? { nil }

    package func information() throws(DrayError) -> FormatInformation { FormatInformation() }
}

extension StreamKind {
    /// The format's name.
    var format: ImageFormat {
        switch self {
        case .gzip: .gzip
        case .xz: .xz
        case .zstd: .zstd
        }
    }
}
