// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

/// Encodes the grains of a stream-optimized extent: a marker with the grain's first sector and the stream's length, the stream as RFC 1950
/// wraps it, zeros up to a whole sector (specification, "Compressed Grains").
final class VMDKStreamEncoder: ClusterEncoder {
    /// The most that a grain takes, in bytes: a stream of what cannot be compressed is little longer than a grain.
    static let largestStored = Int(VMDKSparseLayout.grainSize + VMDK.sector)

    private let encoder: DeflateEncoder

    /// An encoder that ``DeflateEncoder`` has for this effort.
    init(_ effort: CompressionEffort) { encoder = DeflateEncoder(effort, .vmdk, .zlib) }

    func begin() { encoder.begin() }

    func encode(
        _ guest: GuestOffset,
        _ source: AlignedBuffer,
        _ input: Range<Int>,
        into target: AlignedBuffer,
        at start: Int
    ) -> Int? {
        let first = start + VMDK.grainMarkerLength
        let space = first..<start + Self.largestStored
        guard let count = encoder.encode(source, input, into: target, space) else {
            preconditionFailure("a grain's stream fits into a grain and a sector")
        }
        target.storeLittleEndian(guest.bytes / VMDK.sector, at: start)
        target.storeLittleEndian(UInt32(count), at: start + 8)
        let sector = Int(VMDK.sector)
        let length = (VMDK.grainMarkerLength + count + sector - 1) / sector * sector
        target.zero(first + count..<start + length)
        return length
    }
}
