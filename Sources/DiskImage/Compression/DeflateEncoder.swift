// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
internal import CDeflate

/// Compresses to deflate streams (RFC 1951), bare or as zlib wraps them (RFC 1950).
@safe
package final class DeflateEncoder: BlockEncoder {
    /// What stands around a stream.
    package enum Wrapper: Sendable, Hashable {
        /// Nothing.
        case none
        /// Two bytes of header and a checksum (RFC 1950).
        case zlib
    }

    /// The library and its version: other versions may make other streams.
    package static let name = "libdeflate " + LIBDEFLATE_VERSION_STRING
    private static let levels = 1...12

    private let state: OpaquePointer
    private let wrapper: Wrapper

    /// The library's level for an effort. Fails with `invalid` for levels other than 1 to 12.
    package static func level(_ effort: CompressionEffort) throws(DrayError) -> Int {
        switch effort {
        case .fast: 1
        case .balanced: 2
        case .small: 9
        case .level(let level): try checked(level, levels, "zlib")
        }
    }

    /// Allocates an encoder of a level that ``level(_:)`` gave. Traps where the machine has no memory left.
    package init(level: Int, _ wrapper: Wrapper) {
        guard let state = unsafe libdeflate_alloc_compressor(Int32(level)) else {
            preconditionFailure("no memory for a deflate encoder of level \(level)")
        }
        unsafe self.state = state
        self.wrapper = wrapper
    }

    deinit { unsafe libdeflate_free_compressor(state) }

    package func encode(
        _ source: AlignedBuffer,
        _ input: Range<Int>,
        into target: AlignedBuffer,
        _ output: Range<Int>
    ) -> Int? {
        let compress =
            switch wrapper {
            case .none: unsafe libdeflate_deflate_compress
            case .zlib: unsafe libdeflate_zlib_compress
            }
        let count = unsafe source.withBytes(input) { from in
            unsafe target.withMutableBytes(output) { to in
                unsafe compress(state, from.baseAddress, from.count, to.baseAddress, to.count)
            }
        }
        return count == 0 ? nil : count
    }
}

/// `level`, if it is one of `levels`. Fails with `invalid`.
func checked(_ level: Int, _ levels: ClosedRange<Int>, _ codec: String) throws(DrayError) -> Int {
    guard levels.contains(level) else {
        throw DrayError(
            .invalid,
            "\(codec) has the compression levels \(levels.lowerBound) to \(levels.upperBound), not \(level)"
        )
    }
    return level
}
