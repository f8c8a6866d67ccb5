// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO

/// Hashes blocks, or anything else, one after the other. Used by one thread at a time; make one a thread.
package final class BlockHasher {
    /// The digest.
    package let algorithm: DigestAlgorithm
    private let context: DigestContext

    /// Makes a hasher.
    package init(_ algorithm: DigestAlgorithm) {
        self.algorithm = algorithm
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
