// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
internal import CCrypto

/// A message digest of libcrypto: fetched once, used by any number of threads.
@safe
package final class DigestAlgorithm: @unchecked Sendable {
    // @unchecked: an EVP_MD that was fetched is never changed again (EVP_MD_fetch(3)).

    /// The name as it was asked for.
    package let name: String
    /// The length of a digest in bytes.
    package let size: Int
    /// The digest of a whole block (64 KiB) of zeros.
    package let zeroBlock: [UInt8]
    /// Whether it is SHA-256, by whichever of its names it was asked for.
    let isSHA256: Bool
    let method: OpaquePointer

    /// Fetches the digest that libcrypto knows as `name`: sha256, sha512, blake2b512, sha3-256, … Fails with `invalid` where
    /// there is none.
    package init(name: String) throws(DrayError) {
        guard name.utf8.count <= 64, !name.utf8.contains(0),
            let method = unsafe EVP_MD_fetch(nil, name, nil)
        else {
            ERR_clear_error()
            throw Self.unknown(name)
        }
        let size = Int(unsafe EVP_MD_get_size(method))
        guard (1...Int(EVP_MAX_MD_SIZE)).contains(size) else {
            unsafe EVP_MD_free(method)
            throw Self.unknown(name)
        }
        self.name = name
        self.size = size
        isSHA256 = unsafe EVP_MD_is_a(method, "SHA2-256") == 1
        unsafe self.method = method
        let block = AlignedBuffer(count: UnitSize.block)
        block.zero(0..<block.count)
        let context = unsafe DigestContext(method, size: size)
        context.update(block, 0..<block.count)
        zeroBlock = context.finish()
    }

    deinit { unsafe EVP_MD_free(method) }

    private static func unknown(_ name: String) -> DrayError {
        DrayError(
            .invalid,
            "there is no digest '\(name)'; some that there are: "
                + "sha256, sha512, blake2b512, blake2s256, sha3-256, sha1"
        )
    }
}
