// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

extension AlignedBuffer {
    /// Whether every byte of `range` is zero; an empty range is.
    ///
    /// The first 16 bytes are looked at, then the range is compared with itself shifted by 16: memcmp(3)
    /// runs at the speed of memory in any build (nbdkit and blkhash do the same).
    package func isZero(_ range: Range<Int>) -> Bool {
        unsafe withBytes(range) { bytes in
            guard let start = bytes.baseAddress else { return true }
            let head = min(16, bytes.count)
            for index in 0..<head where unsafe bytes[index] != 0 { return false }
            guard bytes.count > head else { return true }
            return unsafe memcmp(start, start + head, bytes.count - head) == 0
        }
    }

    /// Walks `range` in steps of `granule` bytes (the last may be short) and reports each maximal run of
    /// steps that are all zero or all not: `body(run, isZero)`.
    package func forEachRun<E: Error>(
        of range: Range<Int>,
        granule: Int,
        _ body: (Range<Int>, Bool) throws(E) -> Void
    ) throws(E) {
        precondition(granule > 0, "a granule has at least one byte")
        var runStart = range.lowerBound
        var runIsZero = false
        var position = range.lowerBound
        while position < range.upperBound {
            let next = min(position + granule, range.upperBound)
            let zero = isZero(position..<next)
            if position == runStart {
                runIsZero = zero
            } else if zero != runIsZero {
                try body(runStart..<position, runIsZero)
                runStart = position
                runIsZero = zero
            }
            position = next
        }
        if runStart < range.upperBound { try body(runStart..<range.upperBound, runIsZero) }
    }
}
