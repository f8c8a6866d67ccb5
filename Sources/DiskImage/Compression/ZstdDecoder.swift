// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CZstd

/// Decodes zstd frames (RFC 8878) of a known decoded length. A frame may not ask for a window larger than that.
@safe
final class ZstdDecoder: StreamDecoder {
    private let state: OpaquePointer

    /// Allocates a decoder for at most 2^`windowBits` bytes of window (at least 1 KiB, zstd's least).
    /// Traps where the machine has no memory left.
    init(windowBits: Int) {
        guard let state = unsafe ZSTD_createDCtx() else {
            preconditionFailure("no memory for a zstd decoder")
        }
        unsafe self.state = state
        let limit = Int32(max(windowBits, 10))
        let result = unsafe ZSTD_DCtx_setParameter(state, ZSTD_d_windowLogMax, limit)
        precondition(ZSTD_isError(result) == 0, "zstd takes the window limit \(limit)")
    }

    deinit { unsafe ZSTD_freeDCtx(state) }

    func decode(
        _ source: AlignedBuffer,
        _ input: Range<Int>,
        into target: AlignedBuffer,
        _ output: Range<Int>
    ) -> String? {
        unsafe source.withBytes(input) { from in
            unsafe target.withMutableBytes(output) { to in
                unsafe decode(from, to)
            }
        }
    }

    /// Decodes frame after frame until the output is full and its last frame complete; what follows in the input is padding.
    private func decode(_ from: UnsafeRawBufferPointer, _ to: UnsafeMutableRawBufferPointer)
        -> String?
    {
        _ = unsafe ZSTD_DCtx_reset(state, ZSTD_reset_session_only)
        var input = unsafe ZSTD_inBuffer(src: from.baseAddress, size: from.count, pos: 0)
        var output = unsafe ZSTD_outBuffer(dst: to.baseAddress, size: to.count, pos: 0)
        while true {
            let before = unsafe (input.pos, output.pos)
            let result = unsafe ZSTD_decompressStream(state, &output, &input)
            guard ZSTD_isError(result) == 0 else {
                return unsafe "its zstd stream is damaged: "
                    + String(cString: ZSTD_getErrorName(result))
            }
            let isFull = unsafe output.pos == output.size
            if isFull, result == 0 { return nil }
            if unsafe (input.pos, output.pos) == before {
                return isFull
                    ? "its zstd stream has more bytes than a cluster" : "its zstd stream is cut off"
            }
            if unsafe input.pos == input.size, result == 0 {
                return unsafe "its zstd stream has only \(output.pos) bytes"
            }
        }
    }
}
