// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Storage

/// Decodes one compressed stream at a time.
protocol StreamDecoder: AnyObject {
    /// Decodes `input` of `source` into exactly `output` of `target`. Returns nil, or what is wrong with the stream.
    /// Bytes that follow the stream in `input` are left alone.
    func decode(
        _ source: AlignedBuffer,
        _ input: Range<Int>,
        into target: AlignedBuffer,
        _ output: Range<Int>
    ) -> String?
}

/// Reads and decodes compressed clusters of an image, from any thread.
final class ClusterDecoder: Sendable {
    private let windows: StreamWindows<any StreamDecoder>

    /// How much memory one thread needs for a stream, in bytes.
    var windowMemory: Int { windows.memory }

    init(_ compression: QCOW2Compression, clusterSize: Int) {
        // An entry's length field reaches to twice the cluster size.
        windows = StreamWindows(longest: clusterSize * 2) {
            switch compression {
            case .zlib: DeflateDecoder()
            case .zstd: ZstdDecoder()
            }
        }
    }

    /// Decodes `cluster` of `storage` into `buffer` from `start`. Fails with `corrupt` where the stream does not give exactly a cluster.
    func decode(
        _ cluster: CompressedCluster,
        of storage: any Storage,
        into buffer: AlignedBuffer,
        at start: Int
    ) throws(DrayError) {
        let first = cluster.host.bytes
        let bytes = first..<first + UInt64(cluster.hostLength)
        let output = start..<start + cluster.guestLength
        let problem = try windows.withStream(bytes, of: storage) { decoder, input, place in
            decoder.decode(input, place, into: buffer, output)
        }
        guard let problem else { return }
        throw DrayError(
            .corrupt,
            "the compressed cluster for guest offset \(cluster.guestStart.bytes) cannot be read: \(problem)",
            file: storage.name,
            offset: first
        )
    }
}
