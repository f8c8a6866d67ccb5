// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CDeflate

/// Decodes deflate streams (RFC 1951), raw or in a zlib wrapper (RFC 1950), of a known decoded length.
@safe
final class DeflateDecoder: StreamDecoder {
    /// What is around the stream.
    enum Wrapper {
        /// Nothing.
        case none
        /// A zlib header, and a checksum of the content, which is verified.
        case zlib
    }

    private let state: OpaquePointer
    private let wrapper: Wrapper

    /// Allocates a decoder. Traps where the machine has no memory left.
    init(_ wrapper: Wrapper = .none) {
        self.wrapper = wrapper
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
        decode(source, input, into: target, output, atLeast: output.count)
    }

    /// Decodes `input` of `source` into `output` of `target`, which the stream may fill but for all behind its first `least` bytes.
    /// Returns nil, or what is wrong with the stream.
    func decode(
        _ source: AlignedBuffer,
        _ input: Range<Int>,
        into target: AlignedBuffer,
        _ output: Range<Int>,
        atLeast least: Int
    ) -> String? {
        var written = 0
        let result = unsafe source.withBytes(input) { from in
            unsafe target.withMutableBytes(output) { to in
                unsafe decode(from, to, &written)
            }
        }
        switch result {
        case LIBDEFLATE_SUCCESS where written >= least: return nil
        case LIBDEFLATE_SUCCESS, LIBDEFLATE_SHORT_OUTPUT:
            return "its deflate stream has only \(written) bytes"
        case LIBDEFLATE_INSUFFICIENT_SPACE:
            return "its deflate stream has more bytes than a cluster"
        default: return "its deflate stream is damaged or cut off"
        }
    }

    /// Decodes one stream; `written` becomes its length. What follows it in `from` is left alone.
    private func decode(
        _ from: UnsafeRawBufferPointer,
        _ to: UnsafeMutableRawBufferPointer,
        _ written: inout Int
    ) -> libdeflate_result {
        var read = 0
        let (input, output) = (from.baseAddress, to.baseAddress)
        return switch wrapper {
        case .none:
            unsafe libdeflate_deflate_decompress_ex(
                state,
                input,
                from.count,
                output,
                to.count,
                &read,
                &written
            )
        case .zlib:
            unsafe libdeflate_zlib_decompress_ex(
                state,
                input,
                from.count,
                output,
                to.count,
                &read,
                &written
            )
        }
    }
}
