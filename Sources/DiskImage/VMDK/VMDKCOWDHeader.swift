// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

/// The header of a COWD extent: vmfsSparse, the delta disks of ESX on VMFS (specification, "ESX Server Sparse Extents"). Sizes and
/// offsets are in sectors of 512 bytes.
struct VMDKCOWDHeader: Sendable, Hashable {
    /// "COWD".
    static let magic: UInt32 = 0x4457_4F43
    /// The size of the header in bytes.
    static let length = 2048
    /// How many entries a grain table has.
    static let tableEntries: UInt64 = 4096

    /// The size of the extent's part of the disk.
    var capacity: UInt32
    /// The size of a grain.
    var grainSize: UInt32
    /// Where the grain directory starts.
    var directory: UInt32
    /// How many entries it has.
    var directoryEntries: UInt32

    /// Whether these first bytes of a storage (4 are enough) are those of a COWD extent.
    static func matches(_ bytes: [UInt8]) -> Bool {
        bytes.count >= 4 && MetadataReader(bytes, file: nil).little(0, as: UInt32.self) == magic
    }

    /// Parses the header in `bytes`. Fails with `corrupt` or `unsupported`, naming the field.
    init(_ bytes: [UInt8], file: String) throws(DrayError) {
        let reader = MetadataReader(bytes, file: file)
        guard bytes.count >= Self.length else {
            throw reader.corrupt("the file is too short for a COWD header", 0)
        }
        let version = reader.little(4, as: UInt32.self)
        guard version == 1 else {
            throw reader.unsupported("COWD extents of version \(version)", 4)
        }
        capacity = reader.little(12)
        grainSize = reader.little(16)
        directory = reader.little(20)
        directoryEntries = reader.little(24)
        guard grainSize.nonzeroBitCount == 1, grainSize <= VMDK.grains.upperBound else {
            let text = "grainSize is \(grainSize) sectors, not a power of two up to 131072"
            throw reader.corrupt(text, 16)
        }
        let needed = UInt64(capacity).dividedRoundingUp(by: UInt64(grainSize) * Self.tableEntries)
        guard directoryEntries >= needed else {
            let text = "numGDEntries is \(directoryEntries), but the disk needs \(needed)"
            throw reader.corrupt(text, 24)
        }
    }
}
