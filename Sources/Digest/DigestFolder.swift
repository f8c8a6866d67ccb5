// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO

/// Folds the digests of all ranges, in order, to the digest of the disk: blkhash, which is
/// `H( H(block 0) || … || H(block n-1) || uint64le(size) )` over blocks of 64 KiB. Used by one thread at a time.
package final class DigestFolder {
    /// The digest.
    package let algorithm: DigestAlgorithm
    private let outer: DigestContext
    private var blocks: UInt64 = 0
    /// The digest of a zero block, over and over: a hash is fed fastest by the page.
    private let zeroDigests: AlignedBuffer
    private static let zerosAtOnce = 1024

    /// Makes a folder for one disk.
    package init(_ algorithm: DigestAlgorithm) {
        self.algorithm = algorithm
        outer = unsafe DigestContext(algorithm.method, size: algorithm.size)
        zeroDigests = AlignedBuffer(count: Self.zerosAtOnce * algorithm.size)
        for index in 0..<Self.zerosAtOnce {
            zeroDigests.copy(algorithm.zeroBlock, to: index * algorithm.size)
        }
    }

    /// Adds the next range's digests, which have been validated.
    package func append(_ range: RangeDigest) {
        for run in range.runs {
            switch run {
            case .digests(let bytes):
                outer.update(bytes)
                blocks += UInt64(bytes.count / algorithm.size)
            case .zeroBlocks(let count):
                appendZeroBlocks(count)
            }
        }
    }

    /// Ends the disk, which has `size` bytes, and returns its digest in hexadecimal. Fails with `bug` unless exactly its
    /// blocks have been added.
    package func finish(size: UInt64) throws(DrayError) -> String {
        let expected = size.dividedRoundingUp(by: UInt64(UnitSize.block))
        guard blocks == expected else {
            throw DrayError(
                .bug,
                "\(blocks) blocks were hashed of a disk of \(size) bytes, which has \(expected)"
            )
        }
        outer.update((0..<8).map { UInt8(truncatingIfNeeded: size >> (8 * $0)) })
        return outer.finish().hexadecimal
    }

    private func appendZeroBlocks(_ count: UInt64) {
        var left = count
        while left > 0 {
            let some = Int(min(left, UInt64(Self.zerosAtOnce)))
            outer.update(zeroDigests, 0..<some * algorithm.size)
            left -= UInt64(some)
        }
        blocks += count
    }
}
