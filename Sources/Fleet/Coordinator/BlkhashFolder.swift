// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
package import Digest

/// Folds ranges' digests to blkhash.
package final class BlkhashFolder: DigestFolding {
    private let folder: DigestFolder

    /// Makes a fold with the digest that libcrypto knows as `name`. Fails with `invalid` where there is none.
    package init(_ name: String) throws(DrayError) {
        folder = DigestFolder(try DigestAlgorithm(name: name))
    }

    package func fold(_ range: RangeDigest, length: UInt64) throws(DrayError) {
        do throws(DrayError) {
            try range.validate(length: length, digestSize: folder.algorithm.size)
        } catch {
            throw DrayError(.bug, error.message)
        }
        folder.append(range)
    }

    package func finish(guestSize: UInt64) throws(DrayError) -> String {
        try folder.finish(size: guestSize)
    }
}
