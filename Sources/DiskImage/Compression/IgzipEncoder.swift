// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CISAL

/// ISA-L's compressor igzip at its level 2, which makes the same streams on all x86-64 processors since SSE 4.2; level 3 does not.
@safe
final class IgzipEncoder: BlockEncoder {
    /// The library, its version and a mark of the streams that it makes on this machine: a processor without the instruction that it hashes with
    /// finds other matches.
    static let name =
        "igzip \(ISAL_MAJOR_VERSION).\(ISAL_MINOR_VERSION).\(ISAL_PATCH_VERSION) \(IgzipMark.text)"

    private let state = IgzipState()
    /// Where the library keeps its hash table and a block's symbols.
    private let memory: UnsafeMutableBufferPointer<UInt8>
    private let wrapper: DeflateWrapper

    /// Allocates a compressor. Traps where the machine has no memory left.
    init(_ wrapper: DeflateWrapper) {
        unsafe memory = .allocate(capacity: Int(isal_level_2_memory))
        unsafe memory.initialize(repeating: 0)
        self.wrapper = wrapper
    }

    deinit { unsafe memory.deallocate() }

    func encode(
        _ source: AlignedBuffer,
        _ input: Range<Int>,
        into target: AlignedBuffer,
        _ output: Range<Int>
    ) -> Int? {
        unsafe source.withBytes(input) { from in
            unsafe target.withMutableBytes(output) { to in unsafe encode(from, to) }
        }
    }

    private func encode(
        _ from: UnsafeRawBufferPointer,
        _ to: UnsafeMutableRawBufferPointer
    ) -> Int? {
        let stream = unsafe state.place(for: from)
        unsafe isal_deflate_stateless_init(stream)
        unsafe stream.pointee.level = 2
        unsafe stream.pointee.level_buf = memory.baseAddress
        unsafe stream.pointee.level_buf_size = UInt32(memory.count)
        unsafe stream.pointee.end_of_stream = 1
        unsafe stream.pointee.gzip_flag = UInt16(wrapper == .none ? IGZIP_DEFLATE : IGZIP_ZLIB)
        unsafe stream.pointee.hist_bits = UInt16(ISAL_DEF_MAX_HIST_BITS)
        // The library does not write to what it reads.
        unsafe stream.pointee.next_in = UnsafeMutablePointer(
            mutating: from.assumingMemoryBound(to: UInt8.self).baseAddress
        )
        unsafe stream.pointee.avail_in = UInt32(from.count)
        unsafe stream.pointee.next_out = to.assumingMemoryBound(to: UInt8.self).baseAddress
        unsafe stream.pointee.avail_out = UInt32(to.count)
        switch unsafe isal_deflate_stateless(stream) {
        case COMP_OK: return Int(unsafe stream.pointee.total_out)
        case STATELESS_OVERFLOW: return nil
        case let status: preconditionFailure("igzip refuses its parameters: \(status)")
        }
    }
}
