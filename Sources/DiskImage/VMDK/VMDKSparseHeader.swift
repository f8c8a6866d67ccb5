// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

/// The header of a hosted sparse extent, or the footer that has the same form (specification, "Hosted Sparse Extents").
/// All sizes and offsets are in sectors of 512 bytes.
package struct VMDKSparseHeader: Sendable, Hashable {
    /// The version: 1 to 3.
    package var version: UInt32 = 1
    /// What the extent has.
    package var flags: VMDKSparseFlags = .newlineDetection
    /// The size of the extent's part of the disk.
    package var capacity: UInt64
    /// The size of a grain.
    package var grainSize: UInt64 = VMDK.usualGrain
    /// Where the embedded descriptor starts; 0 without one.
    package var descriptorOffset: UInt64 = 0
    /// The space for the embedded descriptor.
    package var descriptorSize: UInt64 = 0
    /// How many entries a grain table has.
    package var tableEntries: UInt32 = VMDK.tableEntries
    /// Where the redundant grain directory starts; 0 without one.
    package var redundantDirectory: UInt64 = 0
    /// Where the grain directory starts; ``VMDK/directoryAtEnd`` where the footer tells.
    package var directory: UInt64 = 0
    /// The space that the metadata before the grains take.
    package var overhead: UInt64 = 0
    /// Whether the extent was not closed cleanly.
    package var isUnclean = false
    /// How grains are compressed.
    package var compression: UInt16 = VMDK.compressionNone

    /// A header of version 1 for `capacity` sectors that has no tables yet.
    package init(capacity: UInt64) { self.capacity = capacity }

    /// Whether grains are compressed. The flag alone does not say so to readers: the algorithm does.
    package var isCompressed: Bool { compression == VMDK.compressionDeflate }

    /// How many sectors a grain table covers.
    package var tableCoverage: UInt64 { UInt64(tableEntries) * grainSize }

    /// How many entries the grain directory has.
    package var directoryEntries: UInt64 { capacity.dividedRoundingUp(by: tableCoverage) }
}

/// What a hosted sparse extent has. A reader may ignore what it does not know among the lower 16 bits, and may not read where it
/// does not know one of the upper 16.
package struct VMDKSparseFlags: OptionSet, Sendable, Hashable {
    /// The bits, as stored.
    package let rawValue: UInt32

    /// Names a set by its bits.
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The four newline bytes are there.
    package static let newlineDetection = Self(rawValue: 1 << 0)
    /// There is a redundant grain directory.
    package static let redundantDirectory = Self(rawValue: 1 << 1)
    /// Entry 1 of a grain table is a grain of zeros.
    package static let zeroedGrains = Self(rawValue: 1 << 2)
    /// Grains are compressed.
    package static let compressed = Self(rawValue: 1 << 16)
    /// Grains and metadata have markers before them.
    package static let markers = Self(rawValue: 1 << 17)
    /// The bits that nobody may ignore, less those that are known.
    package static let unknown = Self(rawValue: 0xFFFC_0000)
}
