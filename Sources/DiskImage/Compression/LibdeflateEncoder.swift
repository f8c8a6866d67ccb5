// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CDeflate

/// libdeflate's compressor of one level.
@safe
final class LibdeflateEncoder: BlockEncoder {
    /// The library and its version: other versions may make other streams.
    static let name = "libdeflate " + LIBDEFLATE_VERSION_STRING

    private let state: OpaquePointer
    private let wrapper: DeflateWrapper

    /// Allocates a compressor of a level from 1 to 12. Traps where the machine has no memory left.
    init(level: Int, _ wrapper: DeflateWrapper) {
        guard let state = unsafe libdeflate_alloc_compressor(Int32(level)) else {
            preconditionFailure("no memory for a deflate encoder of level \(level)")
        }
        unsafe self.state = state
        self.wrapper = wrapper
    }

    deinit { unsafe libdeflate_free_compressor(state) }

    func encode(
        _ source: AlignedBuffer,
        _ input: Range<Int>,
        into target: AlignedBuffer,
        _ output: Range<Int>
    ) -> Int? {
        let count = unsafe source.withBytes(input) { from in
            unsafe target.withMutableBytes(output) { to in
                let (source, target) = (from.baseAddress, to.baseAddress)
                return switch wrapper {
                case .none:
                    unsafe libdeflate_deflate_compress(state, source, from.count, target, to.count)
                case .zlib:
                    unsafe libdeflate_zlib_compress(state, source, from.count, target, to.count)
                }
            }
        }
        return count == 0 ? nil : count
    }
}
