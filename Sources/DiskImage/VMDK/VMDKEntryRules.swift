// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

/// What entries of grain directories and grain tables mean: the part in which the three kinds of sparse extents differ.
///
/// Entries become **places**: the offset in the file in bytes, or one of the numbers below, which are smaller than any such offset.
enum VMDKEntryRules: Sendable {
    /// Hosted sparse extents: an entry is a sector number.
    case hosted(zeroedGrains: Bool)
    /// COWD: as hosted, and never a zeroed grain.
    case cowd
    /// Space-efficient extents: an entry has a type in its upper bits and an index; tables and grains lie in areas from these
    /// offsets on, in bytes.
    case spaceEfficient(tables: UInt64, grains: UInt64)

    /// Not in this extent.
    static let unallocated: UInt64 = 0
    /// Reads as zeros.
    static let zeroed: UInt64 = 1
    /// Against the rules: nothing may be read for it.
    static let invalid: UInt64 = 2

    /// The size of an entry in bytes.
    var entrySize: UInt64 {
        switch self {
        case .hosted, .cowd: VMDK.entrySize
        case .spaceEfficient: VMDK.spaceEfficientEntrySize
        }
    }

    /// Where the first grain table may be, in bytes.
    var firstTable: UInt64 {
        switch self {
        case .hosted, .cowd: 0
        case .spaceEfficient(let tables, _): tables
        }
    }

    /// Where the grain table is that a directory's entry names; `tableSize` is in bytes.
    func table(_ entry: UInt64, tableSize: UInt64) -> UInt64 {
        guard entry != 0 else { return Self.unallocated }
        switch self {
        case .hosted, .cowd: return entry * VMDK.sector
        case .spaceEfficient(let tables, _):
            // The index is far below 2^32: the largest disk has 2^22 tables.
            guard entry >> 32 == VMDK.spaceEfficientTable else { return Self.invalid }
            return tables + (entry & 0xFFFF_FFFF) * tableSize
        }
    }

    /// Where the grain is that a table's entry names; `grainSize` is in bytes.
    func grain(_ entry: UInt64, grainSize: UInt64) -> UInt64 {
        guard entry != 0 else { return Self.unallocated }
        switch self {
        case .hosted(let hasZeroedGrains):
            guard entry == UInt64(VMDK.entryZeroed) else { return entry * VMDK.sector }
            return hasZeroedGrains ? Self.zeroed : Self.invalid
        case .cowd: return entry * VMDK.sector
        case .spaceEfficient(_, let grains):
            switch entry >> 60 {
            case VMDK.spaceEfficientUnmapped, VMDK.spaceEfficientZeroed: return Self.zeroed
            case VMDK.spaceEfficientAllocated:
                let index = entry >> 48 & 0xFFF | (entry & 0xFFFF_FFFF_FFFF) << 12
                guard let distance = index.multiplied(by: grainSize) else { return Self.invalid }
                return grains.adding(distance) ?? Self.invalid
            default: return Self.invalid
            }
        }
    }
}
