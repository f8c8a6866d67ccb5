// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Storage
internal import Synchronization

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
    /// A decoder that is not in use.
    private struct Idle: @unchecked Sendable {
        // @unchecked: whoever takes a decoder out of the list uses it alone until it is put back; the list's lock orders the two.
        let decoder: any StreamDecoder
    }

    private let compression: QCOW2Compression
    private let clusterSize: Int
    private let idle = Mutex<[Idle]>([])
    private let inputs: BufferPool

    init(_ compression: QCOW2Compression, clusterSize: Int) {
        self.compression = compression
        self.clusterSize = clusterSize
        // An entry's length field reaches to twice the cluster size.
        inputs = BufferPool(bufferSize: clusterSize * 2)
    }

    /// Decodes `cluster` of `storage` into `buffer` from `start`. Fails with `corrupt` where the stream does not give exactly a cluster.
    func decode(
        _ cluster: CompressedCluster,
        of storage: any Storage,
        into buffer: AlignedBuffer,
        at start: Int
    ) throws(DrayError) {
        precondition(cluster.hostLength <= inputs.bufferSize, "the driver bounds the stream")
        let input = inputs.take()
        defer { inputs.give(input) }
        let bytes = 0..<cluster.hostLength
        try storage.read(cluster.host, into: input, bytes)
        let decoder = idle.withLock { $0.popLast() } ?? make()
        defer { idle.withLock { $0.append(decoder) } }
        let output = start..<start + cluster.guestLength
        guard let problem = decoder.decoder.decode(input, bytes, into: buffer, output) else {
            return
        }
        throw DrayError(
            .corrupt,
            "the compressed cluster for guest offset \(cluster.guestStart.bytes) cannot be read: \(problem)",
            file: storage.name,
            offset: cluster.host.bytes
        )
    }

    private func make() -> Idle {
        switch compression {
        case .zlib: Idle(decoder: DeflateDecoder())
        case .zstd: Idle(decoder: ZstdDecoder(windowBits: clusterSize.trailingZeroBitCount))
        }
    }
}
