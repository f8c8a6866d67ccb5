// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Memory for I/O, aligned to 4096 bytes so that O_DIRECT takes it. All access is bounds-checked.
///
/// Contents are undefined until written. Get buffers from a ``BufferPool``: allocating them afresh costs
/// more than the I/O they are for (page faults on every first touch).
@safe
package final class AlignedBuffer: @unchecked Sendable {
    // @unchecked: a buffer is used by one thread at a time; whoever took it from the pool owns it until
    // it is given back, and the pool's lock orders the two.

    /// The alignment of the first byte in memory.
    package static let alignment = 4096

    /// The capacity in bytes.
    package let count: Int
    let base: UnsafeMutableRawPointer

    /// Allocates `count` bytes (at least one). Traps where the machine has no memory left.
    package init(count: Int) {
        precondition(count > 0, "a buffer has at least one byte")
        var pointer: UnsafeMutableRawPointer?
        let result = unsafe posix_memalign(&pointer, Self.alignment, count)
        guard result == 0, let pointer = unsafe pointer else {
            preconditionFailure("no memory for a buffer of \(count) bytes")
        }
        unsafe base = pointer
        self.count = count
    }

    deinit { unsafe free(base) }

    /// Lends the bytes of `range` for reading.
    package func withBytes<R, E: Error>(
        _ range: Range<Int>,
        _ body: (UnsafeRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        check(range)
        return try unsafe body(
            UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count)
        )
    }

    /// Lends the bytes of `range` for writing.
    package func withMutableBytes<R, E: Error>(
        _ range: Range<Int>,
        _ body: (UnsafeMutableRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        check(range)
        return try unsafe body(
            UnsafeMutableRawBufferPointer(start: base + range.lowerBound, count: range.count)
        )
    }

    /// Zeroes the bytes of `range`.
    package func zero(_ range: Range<Int>) {
        check(range)
        unsafe memset(base + range.lowerBound, 0, range.count)
    }

    /// Copies `range` of `source` to `start` here.
    package func copy(_ source: AlignedBuffer, _ range: Range<Int>, to start: Int) {
        source.check(range)
        check(start..<start + range.count)
        unsafe memmove(base + start, source.base + range.lowerBound, range.count)
    }

    /// Copies `bytes` to `start` here.
    package func copy(_ bytes: [UInt8], to start: Int) {
        check(start..<start + bytes.count)
        unsafe bytes.withUnsafeBytes { source in
            guard let from = source.baseAddress else { return }
            unsafe memcpy(base + start, from, source.count)
        }
    }

    /// A copy of the bytes of `range`: for headers and names, not for payload.
    package func bytes(_ range: Range<Int>) -> [UInt8] {
        check(range)
        return unsafe [UInt8](
            UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count)
        )
    }

    /// The integer stored most significant byte first at `offset`.
    package func bigEndian<I: FixedWidthInteger>(_ offset: Int, as type: I.Type = I.self) -> I {
        check(offset..<offset + MemoryLayout<I>.size)
        return unsafe I(bigEndian: base.loadUnaligned(fromByteOffset: offset, as: I.self))
    }

    /// The integer stored least significant byte first at `offset`.
    package func littleEndian<I: FixedWidthInteger>(_ offset: Int, as type: I.Type = I.self) -> I {
        check(offset..<offset + MemoryLayout<I>.size)
        return unsafe I(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: I.self))
    }

    /// Stores `value` most significant byte first at `offset`.
    package func storeBigEndian<I: FixedWidthInteger>(_ value: I, at offset: Int) {
        check(offset..<offset + MemoryLayout<I>.size)
        unsafe base.storeBytes(of: value.bigEndian, toByteOffset: offset, as: I.self)
    }

    /// Stores `value` least significant byte first at `offset`.
    package func storeLittleEndian<I: FixedWidthInteger>(_ value: I, at offset: Int) {
        storeBigEndian(value.byteSwapped, at: offset)
    }

    /// Traps where `range` is not inside the buffer.
    func check(_ range: Range<Int>) {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= count,
            "range \(range) is outside a buffer of \(count) bytes"
        )
    }
}

extension AlignedBuffer {
    /// The first position of `range` at which this buffer and `other` differ; nil where they are equal.
    package func firstDifference(from other: AlignedBuffer, _ range: Range<Int>) -> Int? {
        unsafe withBytes(range) { mine in
            unsafe other.withBytes(range) { theirs in
                guard let a = mine.baseAddress, let b = theirs.baseAddress,
                    unsafe memcmp(a, b, mine.count) != 0
                else { return nil }
                for index in 0..<mine.count where unsafe mine[index] != theirs[index] {
                    return range.lowerBound + index
                }
                return nil
            }
        }
    }
}
