// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

/// How the clusters of a qcow2 image are compressed.
struct QCOW2Codec: Sendable, Hashable {
    private let compression: QCOW2Compression
    private let effort: CompressionEffort
    private let clusterSize: Int
    private let encoderMemory: Int

    /// Fails with `invalid` for a level that the codec does not have, and for options that make no sense beside compression.
    init(_ options: QCOW2Options, _ effort: CompressionEffort) throws(DrayError) {
        guard options.preallocation == .off else {
            throw DrayError(.invalid, "compression and preallocation exclude each other")
        }
        compression = options.compression
        clusterSize = Int(options.clusterSize)
        self.effort = effort
        switch compression {
        case .zlib:
            try DeflateEncoder.check(effort)
            encoderMemory = DeflateEncoder.memory(effort, .qcow2)
        case .zstd:
            let level = try ZstdEncoder.level(effort)
            encoderMemory = EncoderMemory.zstd(level: level, clusterSize: clusterSize)
        }
    }

    /// The rules of a target with these.
    func packing(_ rules: Allocation) -> Packing {
        let name =
            switch compression {
            case .zlib: DeflateEncoder.name(effort, .qcow2)
            case .zstd: ZstdEncoder.name
            }
        return Packing(
            rules: rules,
            largestStored: clusterSize,
            encoderMemory: encoderMemory,
            encoding: "\(name) \(effort.text)"
                + (rules.mostShared < .max ? ", ranges share clusters" : "")
        )
    }

    /// An encoder of clusters.
    func makeEncoder() -> any ClusterEncoder {
        let encoder: any BlockEncoder =
            switch compression {
            case .zlib: DeflateEncoder(effort, .qcow2, .none)
            case .zstd: ZstdEncoder(effort)
            }
        return QCOW2ClusterEncoder(encoder, clusterSize: clusterSize)
    }
}

/// Compresses the clusters of a qcow2 image: what does not shrink is stored as it is.
private final class QCOW2ClusterEncoder: ClusterEncoder {
    private let encoder: any BlockEncoder
    private let clusterSize: Int

    init(_ encoder: any BlockEncoder, clusterSize: Int) {
        self.encoder = encoder
        self.clusterSize = clusterSize
    }

    func begin() { encoder.begin() }

    func encode(
        _ guest: GuestOffset,
        _ source: AlignedBuffer,
        _ input: Range<Int>,
        into target: AlignedBuffer,
        at start: Int
    ) -> Int? {
        encoder.encode(source, input, into: target, start..<start + clusterSize - 1)
    }
}
