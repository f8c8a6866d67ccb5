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

    private let states: [DeflateState]
    /// Picks a state's level where the effort leaves that open.
    private var chooser: DeflateChooser
    private let wrapper: Wrapper

    /// The library's level for an effort. Fails with `invalid` for levels other than 1 to 12.
    package static func level(_ effort: CompressionEffort) throws(DrayError) -> Int {
        let level = preset(effort)
        try check(level, levels, "zlib")
        return level
    }

    private static func preset(_ effort: CompressionEffort) -> Int {
        switch effort {
        case .fast, .balanced: 1
        case .small: 7
        case .level(let level): level
        }
    }

    /// Allocates an encoder for an effort that ``level(_:)`` takes; `balance` says what the balanced one is.
    /// Traps where the machine has no memory left.
    package init(_ effort: CompressionEffort, _ balance: DeflateBalance, _ wrapper: Wrapper) {
        let level = Self.preset(effort)
        chooser = DeflateChooser(effort == .balanced ? balance : DeflateBalance(level: level))
        states = chooser.balance.levels.map { DeflateState(level: $0) }
        self.wrapper = wrapper
    }

    package func begin() { chooser.begin() }

    package func encode(
        _ source: AlignedBuffer,
        _ input: Range<Int>,
        into target: AlignedBuffer,
        _ output: Range<Int>
    ) -> Int? {
        let index = chooser.index
        let first = states[index]
        let count = first.encode(source, input, into: target, output, wrapper)
        chooser.note(count ?? input.count, of: input.count)
        guard let count, let again = chooser.indexForRetry, again != index else {
            return count
        }
        let other = states[again].encode(source, input, into: target, output, wrapper)
        if let other, other <= count { return other }
        return first.encode(source, input, into: target, output, wrapper)
    }
}

/// The library's compressor of one level.
@safe
private final class DeflateState {
    private let state: OpaquePointer

    init(level: Int) {
        guard let state = unsafe libdeflate_alloc_compressor(Int32(level)) else {
            preconditionFailure("no memory for a deflate encoder of level \(level)")
        }
        unsafe self.state = state
    }

    deinit { unsafe libdeflate_free_compressor(state) }

    func encode(
        _ source: AlignedBuffer,
        _ input: Range<Int>,
        into target: AlignedBuffer,
        _ output: Range<Int>,
        _ wrapper: DeflateEncoder.Wrapper
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

/// Fails with `invalid` where `level` is none of `levels`.
func check(_ level: Int, _ levels: ClosedRange<Int>, _ codec: String) throws(DrayError) {
    guard levels.contains(level) else {
        throw DrayError(
            .invalid,
            "\(codec) has the compression levels \(levels.lowerBound) to \(levels.upperBound), not \(level)"
        )
    }
}
