// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO

/// Compresses one stretch of bytes at a time. For one thread at a time; kept and used again, because making one costs more than a cluster.
package protocol BlockEncoder: AnyObject {
    /// Forgets what was encoded so far: what follows depends on nothing before.
    func begin()

    /// Compresses `input` of `source` into `output` of `target`, and returns how many bytes that took; nil where `output` is too short.
    func encode(
        _ source: AlignedBuffer,
        _ input: Range<Int>,
        into target: AlignedBuffer,
        _ output: Range<Int>
    ) -> Int?
}

extension BlockEncoder {
    package func begin() {}
}
