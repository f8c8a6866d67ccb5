// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

/// Where the parts of a hosted sparse extent lie (specification, "Hosted Sparse Extents"): header, embedded descriptor, redundant
/// directory and tables, directory and tables, then grains. All follows from the extent's size, so that grains can be written first.
struct VMDKSparseLayout: Sendable, Hashable {
    /// The grain size in bytes.
    static let grainSize = VMDK.usualGrain * VMDK.sector
    /// How many bytes of the disk a grain table covers.
    static let tableCoverage = grainSize * UInt64(VMDK.tableEntries)
    /// The size of a grain table in bytes.
    static let tableLength = UInt64(VMDK.tableEntries) * VMDK.entrySize
    /// The space for an embedded descriptor, in sectors.
    static let descriptorSectors: UInt64 = 20
    /// The most entries that qemu takes of a grain directory.
    static let mostTables: UInt64 = 32 << 20
    /// The end of what a grain table's entry can name, in bytes: sector numbers have 32 bits.
    static let payloadLimit = (UInt64(1) << 32) * VMDK.sector

    /// The size of the extent's part of the disk in bytes, a multiple of 512.
    let capacity: UInt64
    /// Whether the header's place is followed by one for a descriptor.
    let hasDescriptor: Bool

    /// How many grain tables there are.
    var tableCount: UInt64 { capacity.dividedRoundingUp(by: Self.tableCoverage) }

    /// The length of a directory in bytes, in whole sectors.
    var directoryLength: UInt64 {
        (tableCount * VMDK.entrySize).dividedRoundingUp(by: VMDK.sector) * VMDK.sector
    }

    /// Where the redundant directory starts; its tables follow.
    var redundantDirectory: HostOffset {
        HostOffset((1 + (hasDescriptor ? Self.descriptorSectors : 0)) * VMDK.sector)
    }

    /// Where the first grain of a stream goes: its tables come between and behind the grains.
    var streamStart: HostOffset { redundantDirectory }

    /// Where the directory starts; its tables follow.
    var directory: HostOffset { redundantDirectory + tablesLength }

    /// Where the first grain may lie.
    var firstGrain: HostOffset {
        let end = (directory + tablesLength).bytes
        return HostOffset(end.dividedRoundingUp(by: Self.grainSize) * Self.grainSize)
    }

    /// The length of a directory and its tables in bytes.
    private var tablesLength: UInt64 { directoryLength + tableCount * Self.tableLength }

    /// Where the first table of the directory at `start` lies; the others follow.
    func tables(of start: HostOffset) -> HostOffset { start + directoryLength }
}
