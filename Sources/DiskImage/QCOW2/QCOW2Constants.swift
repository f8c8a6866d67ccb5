// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// The numbers of the qcow2 format, by the sections of its specification (qemu's docs/interop/qcow2), and the limits that readers keep.
package enum QCOW2 {
    // MARK: Header

    /// "QFI\xfb", the first four bytes, most significant first.
    package static let magic: UInt32 = 0x5146_49FB
    /// The length of a version 2 header, in bytes.
    package static let headerLengthV2 = 72
    /// The least length of a version 3 header, in bytes: without the compression type.
    package static let headerLengthV3 = 104
    /// The length of the header that has all fields that are known, in bytes.
    package static let headerLengthFull = 112
    /// The binary logarithms of the cluster sizes that are allowed: 512 bytes to 2 MiB.
    package static let clusterBits: ClosedRange<UInt32> = 9...21
    /// The binary logarithms of the refcount widths in bits that are allowed: 1 to 64 bits.
    package static let refcountOrders: ClosedRange<UInt32> = 0...6
    /// The refcount order of version 2, which has no field for it: 16 bits.
    package static let refcountOrderV2: UInt32 = 4

    // MARK: Header extensions

    /// The end of the header extension area.
    package static let extensionEnd: UInt32 = 0
    /// The name of the backing image's format.
    package static let extensionBackingFormat: UInt32 = 0xE279_2ACA
    /// The feature name table.
    package static let extensionFeatureNames: UInt32 = 0x6803_F857
    /// The bitmaps extension.
    package static let extensionBitmaps: UInt32 = 0x2385_2875
    /// The full disk encryption (LUKS) header's place.
    package static let extensionEncryption: UInt32 = 0x0537_BE77
    /// The name of the external data file.
    package static let extensionDataFile: UInt32 = 0x4441_5441

    // MARK: L1, L2 and refcount tables

    /// L1 and L2 entries: the refcount is exactly one.
    package static let copied: UInt64 = 1 << 63
    /// L2 entries: the cluster is compressed.
    package static let compressed: UInt64 = 1 << 62
    /// Standard L2 entries of version 3: the cluster reads as zeros.
    package static let zero: UInt64 = 1
    /// L1 and L2 entries: the host offset.
    package static let offsetMask: UInt64 = 0x00FF_FFFF_FFFF_FE00
    /// L1 entries: bits that must be zero.
    package static let l1Reserved: UInt64 = 0x7F00_0000_0000_01FF
    /// Standard L2 entries: bits that must be zero (bit 0 too, in version 2 and in extended entries).
    package static let l2Reserved: UInt64 = 0x3F00_0000_0000_01FE
    /// Refcount table entries: bits that must be zero.
    package static let refcountTableReserved: UInt64 = 0x1FF
    /// The subclusters of a cluster, with extended L2 entries.
    package static let subclusters = 32
    /// The least cluster size with extended L2 entries, as binary logarithm: subclusters have 512 bytes at least.
    package static let leastExtendedClusterBits: UInt32 = 14
    /// The unit in which a compressed cluster's length is stored, in bytes.
    package static let compressedSector: UInt64 = 512

    /// How many bits of a compressed cluster's L2 entry are its host offset: the others count sectors.
    static func compressedOffsetBits(clusterSize: UInt64) -> UInt64 {
        62 - (UInt64(clusterSize.trailingZeroBitCount) - 8)
    }

    /// Where compressed clusters must end, in bytes: no L2 entry says more.
    static func compressedReach(clusterSize: UInt64) -> UInt64 {
        min(1 << compressedOffsetBits(clusterSize: clusterSize), 1 << 56)
    }

    /// The L2 entry of a stream of `length` bytes at `host`.
    static func compressedEntry(host: UInt64, length: UInt64, clusterSize: UInt64) -> UInt64 {
        let sectors = (host + length - 1) / compressedSector - host / compressedSector
        return compressed | sectors << compressedOffsetBits(clusterSize: clusterSize) | host
    }

    // MARK: Limits of qemu, kept here too

    /// The longest backing file name or data file name, in bytes.
    package static let longestName = 1023
    /// The longest name of a backing format, in bytes.
    package static let longestFormatName = 15
    /// The largest L1 table, in bytes.
    package static let largestL1: UInt64 = 32 << 20
    /// The largest refcount table, in bytes.
    package static let largestRefcountTable: UInt64 = 8 << 20
    /// How many snapshots there may be.
    package static let mostSnapshots: UInt32 = 65_536
    /// The largest snapshot table, in bytes.
    package static let largestSnapshotTable: UInt64 = 64 << 20
    /// The most extra data of a snapshot, in bytes.
    package static let mostSnapshotExtra: UInt32 = 1024
    /// How many header extensions are read; the specification has no limit, and each costs time.
    package static let mostExtensions = 4096
    /// How many bitmaps there may be.
    package static let mostBitmaps: UInt32 = 65_535
    /// The largest bitmap directory, in bytes.
    package static let largestBitmapDirectory: UInt64 = 65_535 * 1024
    /// The largest bitmap, in bytes.
    package static let largestBitmap: UInt64 = 512 << 20
    /// How many entries a bitmap's table may have.
    package static let mostBitmapTableEntries: UInt32 = 0x800_0000
}
