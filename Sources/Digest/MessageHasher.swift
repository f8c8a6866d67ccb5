// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO

/// The digest of one long message, as sha256sum(1) computes it. Used by one thread at a time.
package final class MessageHasher {
    private let context: DigestContext
    // The context uses what this holds.
    private let algorithm: DigestAlgorithm

    /// Begins a message.
    package init(_ algorithm: DigestAlgorithm) {
        self.algorithm = algorithm
        context = unsafe DigestContext(algorithm.method, size: algorithm.size)
    }

    /// Adds the bytes of `range`.
    package func add(_ buffer: AlignedBuffer, _ range: Range<Int>) { context.update(buffer, range) }

    /// The digest in hexadecimal; the next message begins.
    package func finish() -> String { context.finish().hexadecimal }
}
