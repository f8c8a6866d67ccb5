// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CDeflate

/// Decodes raw deflate streams (RFC 1951) of a known decoded length.
@safe
final class DeflateDecoder: StreamDecoder {
    private let state: OpaquePointer

    /// Allocates a decoder. Traps where the machine has no memory left.
    init() {
        guard let state = unsafe libdeflate_alloc_decompressor() else {
            preconditionFailure("no memory for a deflate decoder")
        }
        unsafe self.state = state
    }

    deinit { unsafe libdeflate_free_decompressor(state) }

    func decode(
        _ source: AlignedBuffer,
        _ input: Range<Int>,
        into target: AlignedBuffer,
        _ output: Range<Int>
    ) -> String? {
        var read = 0
        var written = 0
        let result = unsafe source.withBytes(input) { from in
            unsafe target.withMutableBytes(output) { to in
                unsafe libdeflate_deflate_decompress_ex(
                    state,
                    from.baseAddress,
                    from.count,
                    to.baseAddress,
                    to.count,
                    &read,
                    &written
                )
            }
        }
        switch result {
        case LIBDEFLATE_SUCCESS where written == output.count: return nil
        case LIBDEFLATE_SUCCESS, LIBDEFLATE_SHORT_OUTPUT:
            return "its deflate stream has only \(written) bytes"
        case LIBDEFLATE_INSUFFICIENT_SPACE:
            return "its deflate stream has more bytes than a cluster"
        default: return "its deflate stream is damaged or cut off"
        }
    }
}
