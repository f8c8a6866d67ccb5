// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

/// The headers of a space-efficient extent (seSparse), which ESX makes on VMFS 6. VMware has not published the format: what is
/// known of it is what other readers take. Sizes and offsets are in sectors of 512 bytes.
struct VMDKSpaceEfficientHeader: Sendable, Hashable {
    /// The first eight bytes of the constant header.
    static let magic: UInt64 = 0xCAFE_BABE
    /// The first eight bytes of the volatile header, which is the second sector.
    static let volatileMagic: UInt64 = 0xCAFE_CAFE
    /// The only version that is known: 2.1.
    static let version: UInt64 = 0x0000_0002_0000_0001
    /// The size of both headers in bytes.
    static let length = 1024
    /// The only grain size that is known.
    static let grainSize: UInt64 = 8
    /// The only grain table size that is known: 4096 entries of eight bytes.
    static let tableSize: UInt64 = 64

    /// The size of the extent's part of the disk.
    var capacity: UInt64
    /// Where the grain directory starts.
    var directory: UInt64
    /// Its size.
    var directorySize: UInt64
    /// Where the area of grain tables starts.
    var tables: UInt64
    /// Where the area of grains starts.
    var grains: UInt64

    /// Whether these first bytes of a storage (8 are enough) are those of a space-efficient extent.
    static func matches(_ bytes: [UInt8]) -> Bool {
        bytes.count >= 8 && MetadataReader(bytes, file: nil).little(0, as: UInt64.self) == magic
    }

    /// Parses both headers in `bytes`. Fails with `unsupported` for what is not known, and where the journal is to be replayed first.
    init(_ bytes: [UInt8], file: String) throws(DrayError) {
        let reader = MetadataReader(bytes, file: file)
        guard bytes.count >= Self.length else {
            throw reader.corrupt("the file is too short for the headers of seSparse", 0)
        }
        capacity = reader.little(16)
        directory = reader.little(128)
        directorySize = reader.little(136)
        tables = reader.little(144)
        grains = reader.little(192)
        try Self.expect(reader, 8, Self.version, "version")
        try Self.expect(reader, 24, Self.grainSize, "grain size")
        try Self.expect(reader, 32, Self.tableSize, "grain table size")
        for offset in stride(from: 40, through: 72, by: 8) {
            try Self.expect(reader, offset, 0, "flags or reserved field")
        }
        try Self.expect(reader, 80, 1, "volatile header's place")
        guard reader.little(512, as: UInt64.self) == Self.volatileMagic else {
            throw reader.corrupt("the volatile header has another magic number", 512)
        }
        guard reader.little(536, as: UInt64.self) == 0 else {
            let text = "the journal must be replayed first, by the machine that was cut off"
            throw reader.unsupported(text, 536)
        }
        guard capacity <= VMDK.mostSectors,
            [directory, directorySize, tables, grains].allSatisfy({ $0 <= VMDK.mostSectors })
        else {
            throw reader.corrupt("a size or place is larger than any disk", 16)
        }
    }

    private static func expect(
        _ reader: MetadataReader,
        _ offset: Int,
        _ expected: UInt64,
        _ what: String
    ) throws(DrayError) {
        let found = reader.little(offset, as: UInt64.self)
        guard found == expected else {
            let text =
                "the \(what) is \(found) (0x\(String(found, radix: 16))), and only \(expected) is known"
            throw reader.unsupported(text, offset)
        }
    }
}
