// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
internal import CSHA256

/// Hashes blocks, or anything else, one after the other. Used by one thread at a time; make one a thread.
package final class BlockHasher {
    /// The digest.
    package let algorithm: DigestAlgorithm
    /// Whether ``hashPair(_:_:into:)`` can be used: for SHA-256, on a processor with instructions for it.
    package let hashesPairs: Bool
    /// How many pairs were hashed.
    package private(set) var pairCount = 0
    private let context: DigestContext

    /// Makes a hasher.
    package init(_ algorithm: DigestAlgorithm) {
        self.algorithm = algorithm
        hashesPairs = algorithm.isSHA256 && dray_sha256_pair_is_available()
        context = unsafe DigestContext(algorithm.method, size: algorithm.size)
    }

    /// Appends the digest of the bytes of `range` to `digests`.
    package func hash(
        _ buffer: AlignedBuffer,
        _ range: Range<Int>,
        into digests: inout [UInt8]
    ) {
        context.update(buffer, range)
        context.finish(into: &digests)
    }

    /// Appends the digests of the two halves of `range`, in their order, which are got in about the time of one. Half the
    /// length is a multiple of 64; only where ``hashesPairs``.
    package func hashPair(
        _ buffer: AlignedBuffer,
        _ range: Range<Int>,
        into digests: inout [UInt8]
    ) {
        precondition(hashesPairs, "a pair needs SHA-256 and a processor with instructions for it")
        precondition(range.count % 128 == 0, "each half is a multiple of 64 bytes")
        unsafe buffer.withBytes(range) { bytes in
            guard let start = bytes.baseAddress else { return }
            unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 2 * algorithm.size) {
                space in
                let half = bytes.count / 2
                unsafe dray_sha256_pair(start, start + half, half, space.baseAddress)
                unsafe digests.append(contentsOf: space)
            }
        }
        pairCount += 1
    }

    /// The digest of `bytes`.
    package func hash(_ bytes: [UInt8]) -> [UInt8] {
        context.update(bytes)
        return context.finish()
    }
}

extension Collection<UInt8> {
    /// The bytes as text: two lower-case hexadecimal digits each.
    package var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(2 * count)
        for byte in self {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
