// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CZstd

/// Decodes zstd frames (RFC 8878) of a known decoded length.
///
/// Frames are decoded straight into the output, so whatever window they ask for costs no memory.
@safe
final class ZstdDecoder: StreamDecoder {
    private let state: OpaquePointer

    /// Allocates a decoder. Traps where the machine has no memory left.
    init() {
        guard let state = unsafe ZSTD_createDCtx() else {
            preconditionFailure("no memory for a zstd decoder")
        }
        unsafe self.state = state
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

    /// Decodes frame after frame until the output is full; what follows in the input is padding.
    private func decode(_ from: UnsafeRawBufferPointer, _ to: UnsafeMutableRawBufferPointer)
        -> String?
    {
        var read = 0
        var written = 0
        while written < to.count {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: from[read...])
            // Other magic numbers are those of formats before zstd 0.8, which the library may know still.
            guard unsafe Self.isFrame(rest) else {
                return read == 0
                    ? "its zstd stream is damaged: no frame begins there"
                    : "its zstd stream has only \(written) bytes"
            }
            let length = unsafe ZSTD_findFrameCompressedSize(rest.baseAddress, rest.count)
            guard ZSTD_isError(length) == 0 else { return Self.problem(length) }
            let space = unsafe UnsafeMutableRawBufferPointer(rebasing: to[written...])
            let count = unsafe ZSTD_decompressDCtx(
                state,
                space.baseAddress,
                space.count,
                rest.baseAddress,
                length
            )
            guard ZSTD_isError(count) == 0 else { return Self.problem(count) }
            read += length
            written += count
        }
        return nil
    }

    /// Whether `bytes` begin as a frame does, or one that is to be skipped (3.1.1, 3.1.2).
    private static func isFrame(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count >= 4 else { return false }
        let magic = unsafe UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self))
        return magic == 0xFD2F_B528 || magic & 0xFFFF_FFF0 == 0x184D_2A50
    }

    private static func problem(_ code: Int) -> String {
        switch ZSTD_getErrorCode(code) {
        case ZSTD_error_dstSize_tooSmall: "its zstd stream has more bytes than a cluster"
        case ZSTD_error_srcSize_wrong: "its zstd stream is cut off"
        default: unsafe "its zstd stream is damaged: \(String(cString: ZSTD_getErrorName(code)))"
        }
    }
}
