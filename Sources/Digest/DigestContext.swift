// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CCrypto

/// One digest after the other, with one context of libcrypto. Used by one thread at a time.
@safe
final class DigestContext {
    private let context: OpaquePointer
    private let method: OpaquePointer
    private let size: Int

    /// Starts the first digest. `method` must live as long as the context.
    init(_ method: OpaquePointer, size: Int) {
        guard let context = unsafe EVP_MD_CTX_new() else {
            preconditionFailure("no memory for a digest")
        }
        unsafe self.context = context
        unsafe self.method = method
        self.size = size
        start()
    }

    deinit { unsafe EVP_MD_CTX_free(context) }

    /// Adds the bytes of `range`.
    func update(_ buffer: AlignedBuffer, _ range: Range<Int>) {
        let result = unsafe buffer.withBytes(range) { bytes in
            unsafe EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
        }
        precondition(result == 1, "libcrypto takes any bytes")
    }

    /// Adds `bytes`.
    func update(_ bytes: [UInt8]) {
        let result = unsafe EVP_DigestUpdate(context, bytes, bytes.count)
        precondition(result == 1, "libcrypto takes any bytes")
    }

    /// Appends the digest of what was added to `digests`, and starts the next one.
    func finish(into digests: inout [UInt8]) {
        unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Int(EVP_MAX_MD_SIZE)) {
            space in
            let result = unsafe EVP_DigestFinal_ex(context, space.baseAddress, nil)
            precondition(result == 1, "libcrypto finishes a digest that was started")
            unsafe digests.append(contentsOf: space.prefix(size))
        }
        start()
    }

    /// The digest of what was added; the next one is started.
    func finish() -> [UInt8] {
        var digest: [UInt8] = []
        finish(into: &digest)
        return digest
    }

    private func start() {
        // With the same method the context keeps what it has allocated.
        let result = unsafe EVP_DigestInit_ex2(context, method, nil)
        precondition(result == 1, "libcrypto starts a digest that it has fetched")
    }
}
