// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
package import Digest

/// Folds the digests of a job's ranges, in guest order, to the digest of the whole.
package protocol DigestFolding: AnyObject {
    /// Takes the next range, which has `length` bytes. Fails with `bug` where its digests cannot be what a worker reported.
    func fold(_ range: RangeDigest, length: UInt64) throws(DrayError)
    /// The digest of a disk of `guestSize` bytes, in hexadecimal. Once, at the end.
    func finish(guestSize: UInt64) throws(DrayError) -> String
}
