// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO

/// Gives the ranges of a job their places in the target: dense, in the order in which their sizes are reported.
///
/// The order is that of the records of `results`, so every coordinator that reads them gives the same places,
/// and a retry gets the same answer.
package struct Allocator: Sendable {
    /// Where the next place starts.
    package private(set) var next: UInt64
    private var offsets: [UInt64]
    private var sizes: [UInt64]
    private static let none = UInt64.max

    /// An allocator for `count` ranges that begins at `first`.
    package init(first: HostOffset, count: Int) {
        next = first.bytes
        offsets = Array(repeating: Self.none, count: count)
        sizes = Array(repeating: 0, count: count)
    }

    /// The place of a range, if it has one.
    package func place(_ index: Int) -> UInt64? {
        offsets[index] == Self.none ? nil : offsets[index]
    }

    /// The place for `bytes` of range `index`. Fails with `bug` where the range had asked for another size, and with
    /// `unsupported` where the target would be too long.
    package mutating func reserve(_ index: Int, _ bytes: UInt64) throws(DrayError) -> UInt64 {
        if let offset = place(index) {
            guard sizes[index] == bytes else {
                throw DrayError(
                    .bug,
                    "range \(index) took \(sizes[index]) bytes before and \(bytes) now"
                )
            }
            return offset
        }
        guard let end = next.adding(bytes), end <= UInt64(Int64.max) else {
            throw DrayError(.unsupported, "the target would be longer than 2^63 - 1 bytes")
        }
        offsets[index] = next
        sizes[index] = bytes
        defer { next = end }
        return next
    }
}
