// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import DiskImage

/// What qemu-img says about a run of guest bytes: the fields of one line of its map.
struct BlockStatus {
    /// The first guest byte.
    var start: UInt64
    /// How many bytes.
    var length: UInt64
    /// Which layer decided: 0 is the image itself.
    var depth: Int
    /// Whether that layer has the run allocated.
    var isPresent: Bool
    /// Whether the run is known to read as zeros.
    var isZero: Bool
    /// Whether bytes are stored for it.
    var isData: Bool
    /// Where in `file` it is stored, if it is stored as it is.
    var offset: UInt64?
    /// The file that `offset` counts in.
    var file: String?

    /// The first byte behind the run.
    var end: UInt64 { start + length }

    /// Whether `next`, which follows, is said in one line with this.
    func joins(_ next: BlockStatus) -> Bool {
        length > 0 && isSame(next) && file == next.file
            && (offset == nil || offset.map { $0 + length } == next.offset)
    }

    /// Whether all but place and length is equal.
    func isSame(_ other: BlockStatus) -> Bool {
        depth == other.depth && hasSameFlags(other)
    }

    /// Whether the flags are equal, whichever layer they are from.
    func hasSameFlags(_ other: BlockStatus) -> Bool {
        isPresent == other.isPresent && isZero == other.isZero && isData == other.isData
            && (offset == nil) == (other.offset == nil)
    }
}
