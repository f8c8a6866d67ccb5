// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

extension AlignedBuffer {
    /// Whether every byte of `range` is zero; an empty range is.
    ///
    /// The first 16 bytes are looked at, then the range is compared with itself shifted by 16: memcmp(3)
    /// runs at the speed of memory in any build (nbdkit and blkhash do the same).
    package func isZero(_ range: Range<Int>) -> Bool {
        check(range)
        return unsafe isAllZero(base + range.lowerBound, range.count)
    }

    /// Walks `range` in steps of `granule` bytes (the last may be short) and reports each maximal run of
    /// steps that are all zero or all not: `body(run, isZero)`.
    package func forEachRun<E: Error>(
        of range: Range<Int>,
        granule: Int,
        _ body: (Range<Int>, Bool) throws(E) -> Void
    ) throws(E) {
        precondition(granule > 0, "a granule has at least one byte")
        check(range)
        var runStart = range.lowerBound
        var runIsZero = false
        var position = range.lowerBound
        while position < range.upperBound {
            let next = min(position + granule, range.upperBound)
            let zero = unsafe isAllZero(base + position, next - position)
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

/// A function of the pointer alone: with the buffer in hand, each call would count a reference to it up and down.
private func isAllZero(_ start: UnsafeMutableRawPointer, _ count: Int) -> Bool {
    let head = min(16, count)
    for index in 0..<head where unsafe start.load(fromByteOffset: index, as: UInt8.self) != 0 {
        return false
    }
    return count == head ? true : unsafe memcmp(start, start + head, count - head) == 0
}
