// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
package import DiskImage

/// Divides a disk into ranges from its map: the deterministic part of a plan.
package struct RangePlanner: Sendable {
    /// A range's size, its start and its length are multiples of this, the disk's end excepted.
    package static let unit: UInt64 = 4 << 20
    /// The largest range that a job may ask for, in bytes.
    static let largestRange: UInt64 = 128 << 20
    /// The most ranges a plan may have: 32 TiB of data in ranges of 32 MiB.
    package static let mostRanges = 1 << 20
    /// The longest range without data: work on it must still end soon.
    static let longestEmpty: UInt64 = 64 << 30

    /// The size of a range with data, in bytes.
    package let rangeSize: UInt64
    /// Whether neighbouring stretches without data become one range.
    package let joinsEmpty: Bool

    /// No range reaches over a multiple of this, in bytes.
    package let cut: UInt64

    /// A planner for ranges of `rangeSize` bytes, a multiple of ``unit``, as `cut` is.
    package init(rangeSize: UInt64, joinsEmpty: Bool, cut: UInt64? = nil) {
        precondition(rangeSize > 0 && rangeSize % Self.unit == 0, "ranges are made of units")
        precondition(cut.map { $0 > 0 && $0 % Self.unit == 0 } ?? true, "as are files' shares")
        self.rangeSize = rangeSize
        self.joinsEmpty = joinsEmpty
        self.cut = cut ?? .max
    }

    /// The range size for a disk of `guestSize` bytes where the job names none: small enough to stay in a processor's
    /// cache while it is read, tested and written, larger where the plan would become long.
    package static func defaultRangeSize(guestSize: UInt64) -> UInt64 {
        var size: UInt64 = 4 * unit
        while size < 32 << 20, guestSize / size > 1 << 14 { size *= 2 }
        return size
    }

    /// The same where nothing is written, so that no buffer has to hold a range: longer on larger disks, as each range costs a fleet
    /// some messages, but with a hundred left to share out.
    package static func readingRangeSize(guestSize: UInt64) -> UInt64 {
        var size: UInt64 = 4 * unit
        while size < 64 << 20, guestSize / size > 1 << 7 { size *= 2 }
        return size
    }

    /// The same for a packed target: smaller, because more ranges are kept in memory, those that wait for their places too.
    package static func packedRangeSize(guestSize: UInt64, _ packing: Packing) -> UInt64 {
        let size = defaultRangeSize(guestSize: guestSize) / 2
        return max(size, packing.rangeUnit)
    }

    /// A plan's ranges, in order, and how many bytes of data they hold.
    package struct Ranges: Sendable {
        /// The ranges, one behind the other from 0 to the disk's end.
        package var ranges: [GuestRange] = []
        /// Bytes in state data.
        package var dataBytes: UInt64 = 0
    }

    /// Walks a disk from 0 to its end and reports each run that must be read, in order.
    package typealias Walk = ((GuestRange) -> Void) throws(DrayError) -> Void

    /// Divides a disk of `guestSize` bytes of which `walks` tell what must be read: one walk, or two of images that are
    /// read side by side.
    package func divide(guestSize: UInt64, _ walks: [Walk]) throws(DrayError) -> Ranges {
        var result = Ranges()
        var stretches: [Range<UInt64>] = []
        for walk in walks {
            try walk { run in
                result.dataBytes += run.length
                let end = run.end.bytes.roundedUp(to: rangeSize) ?? guestSize
                let bytes = run.start.bytes.roundedDown(to: rangeSize)..<min(guestSize, end)
                if let last = stretches.last,
                    last.contains(bytes.lowerBound) || last.upperBound == bytes.lowerBound
                {
                    stretches[stretches.count - 1] =
                        last.lowerBound..<max(last.upperBound, bytes.upperBound)
                } else {
                    stretches.append(bytes)
                }
            }
        }
        if walks.count > 1 { stretches.sort { $0.lowerBound < $1.lowerBound } }
        addRanges(guestSize: guestSize, stretches, to: &result)
        guard result.ranges.count <= Self.mostRanges else {
            throw DrayError(
                .unsupported,
                "the plan would have more than \(Self.mostRanges) ranges; ask for larger ones"
            )
        }
        return result
    }

    /// `stretches` are where data is, by start; they may overlap.
    private func addRanges(guestSize: UInt64, _ stretches: [Range<UInt64>], to result: inout Ranges)
    {
        var covered: UInt64 = 0
        for stretch in stretches where stretch.upperBound > covered {
            let start = max(stretch.lowerBound, covered)
            addPieces(covered..<start, of: joinsEmpty ? Self.longestEmpty : rangeSize, to: &result)
            addPieces(start..<stretch.upperBound, of: rangeSize, to: &result)
            covered = stretch.upperBound
        }
        addPieces(covered..<guestSize, of: joinsEmpty ? Self.longestEmpty : rangeSize, to: &result)
    }

    private func addPieces(_ bytes: Range<UInt64>, of size: UInt64, to result: inout Ranges) {
        var start = bytes.lowerBound
        while start < bytes.upperBound, result.ranges.count <= Self.mostRanges {
            let border = start.roundedDown(to: cut).adding(cut) ?? .max
            let end = min(start + size, bytes.upperBound, border)
            result.ranges.append(GuestRange(GuestOffset(start), length: end - start))
            start = end
        }
    }
}
