// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// The numbers of the VMDK format, by the chapters of its specification (VMware's "Virtual Disk Format 5.0"), and the limits
/// that we keep. Integers of the format are stored least significant byte first.
package enum VMDK {
    /// The unit of sizes and offsets in headers, tables and descriptors, in bytes.
    package static let sector: UInt64 = 512

    // MARK: Hosted sparse extents

    /// "KDMV", the first four bytes of a hosted sparse extent.
    package static let sparseMagic: UInt32 = 0x564D_444B
    /// The header versions that are known: 2 brought zeroed grains, 3 changed block tracking and streams.
    package static let sparseVersions: ClosedRange<UInt32> = 1...3
    /// The size of the header, in bytes.
    package static let sparseHeaderLength = 512
    /// The grain size of everything that VMware makes, in sectors: 64 KiB.
    package static let usualGrain: UInt64 = 128
    /// The grain sizes that are read, in sectors: powers of two from 4 KiB to 64 MiB.
    package static let grains: ClosedRange<UInt64> = 8...131_072
    /// The largest grain that may be compressed, in sectors: each thread holds one.
    package static let largestCompressedGrain: UInt64 = 16_384
    /// How many entries a grain table has in everything that VMware makes, and at most.
    package static let tableEntries: UInt32 = 512
    /// The header's directory offset where the directory comes at the end: the footer has the true one.
    package static let directoryAtEnd: UInt64 = .max
    /// The header's field for compression: none.
    package static let compressionNone: UInt16 = 0
    /// The header's field for compression: deflate, in a zlib wrapper (RFC 1950).
    package static let compressionDeflate: UInt16 = 1
    /// The four bytes by which damage from a transfer in text mode shows.
    package static let newlines: [UInt8] = [0x0A, 0x20, 0x0D, 0x0A]

    // MARK: Grain tables and directories

    /// A grain table's entry where the header has ``VMDKSparseFlags/zeroedGrains``: reads as zeros.
    package static let entryZeroed: UInt32 = 1
    /// How many entries a grain directory may have, as with qemu: walking more would take for ever.
    static let mostDirectoryEntries: UInt64 = 32 << 20
    /// The size of an entry of a hosted or COWD table or directory, in bytes.
    package static let entrySize: UInt64 = 4

    // MARK: Space-efficient extents

    /// The size of an entry of a table or directory, in bytes.
    static let spaceEfficientEntrySize: UInt64 = 8
    /// The upper half of a directory's entry that names a table; the lower is its index.
    static let spaceEfficientTable: UInt64 = 0x1000_0000
    /// The upper four bits of a table's entry: a grain that the guest has discarded.
    static let spaceEfficientUnmapped: UInt64 = 1
    /// The upper four bits of a table's entry: a grain of zeros.
    static let spaceEfficientZeroed: UInt64 = 2
    /// The upper four bits of a table's entry: a grain with a place.
    static let spaceEfficientAllocated: UInt64 = 3

    // MARK: Stream-optimized extents

    /// The size of the start of a grain's marker, in bytes: its first sector (8), the stream's length (4). The stream follows.
    package static let grainMarkerLength = 12
    /// The type of a marker, which has no stream, stands at this offset behind a length of zero.
    package static let markerTypeOffset = 12
    /// A marker's type: the end of the stream.
    package static let markerEndOfStream: UInt32 = 0
    /// A marker's type: a grain table follows.
    package static let markerTable: UInt32 = 1
    /// A marker's type: the grain directory follows.
    package static let markerDirectory: UInt32 = 2
    /// A marker's type: the footer follows.
    package static let markerFooter: UInt32 = 3

    // MARK: Descriptors

    /// The content id that no image has: of the parent, it says that there is none.
    package static let noParent: UInt32 = 0xFFFF_FFFF
    /// The largest descriptor, in bytes.
    package static let largestDescriptor: UInt64 = 1 << 20
    /// The longest line of a descriptor, in bytes.
    package static let longestLine = 4096
    /// How many lines a descriptor may have.
    package static let mostLines = 16_384
    /// How many extents a disk may have: each takes an open file.
    package static let mostExtents = 1024
    /// How many sectors a disk may have, with qemu: 2^63 bytes less a gibibyte.
    package static let mostSectors: UInt64 = (1 << 54) - (1 << 21)
}
