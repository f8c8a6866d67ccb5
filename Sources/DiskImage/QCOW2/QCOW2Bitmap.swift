// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Storage

/// A persistent dirty bitmap: an entry of the bitmap directory (specification, "Bitmaps").
struct QCOW2Bitmap {
    /// The name.
    let name: String
    /// How many guest bytes a bit stands for, as binary logarithm.
    let granularityBits: UInt8
    /// Bit 0: in use (inconsistent), bit 1: recording since the image was opened.
    let flags: UInt32
    /// Where its table is, in bytes.
    let tableOffset: UInt64
    /// How many entries its table has.
    let tableSize: UInt32
}

/// Where the bitmap directory is: the bitmaps extension.
struct QCOW2BitmapDirectory {
    let count: UInt32
    let offset: UInt64
    let size: UInt64

    /// The directory that `header` names; nil without one, or where a program that knows no bitmaps has written to
    /// the image since. Fails with `corrupt` where the extension breaks the specification.
    init?(_ header: QCOW2Header, file: String) throws(DrayError) {
        guard header.autoclear.contains(.bitmaps),
            let data = header.data(of: QCOW2.extensionBitmaps)
        else { return nil }
        let reader = MetadataReader(data, file: file, base: UInt64(header.headerLength))
        guard data.count == 24, reader.load(4, as: UInt32.self) == 0 else {
            throw reader.corrupt("the bitmaps extension is not as the specification has it", 0)
        }
        count = reader.load(0)
        size = reader.load(8)
        offset = reader.load(16)
        guard count > 0, count <= QCOW2.mostBitmaps else {
            throw reader.corrupt("nb_bitmaps is \(count), not from 1 to \(QCOW2.mostBitmaps)", 0)
        }
        guard size > 0, size <= QCOW2.largestBitmapDirectory else {
            throw reader.corrupt("bitmap_directory_size is \(size): none, or too large", 8)
        }
        guard offset % header.clusterSize == 0 else {
            throw reader.corrupt(
                "bitmap_directory_offset is \(offset), not a multiple of the cluster size",
                16
            )
        }
    }

    /// Reads the bitmaps. Fails with `corrupt` where the directory breaks the specification, with `unsupported` where it has extra data.
    func bitmaps(_ header: QCOW2Header, _ metadata: StorageMetadata) throws(DrayError)
        -> [QCOW2Bitmap]
    {
        var cursor = QCOW2MetadataCursor(metadata, "the bitmap directory", at: offset, limit: size)
        // Each entry has 24 bytes at least: the count cannot make the array larger than the file is.
        var bitmaps: [QCOW2Bitmap] = []
        for _ in 0..<count {
            bitmaps.append(try QCOW2Bitmap(&cursor, header))
            cursor.align()
        }
        guard cursor.position == offset + size else {
            throw DrayError(
                .corrupt,
                "the bitmap directory has \(cursor.position - offset) bytes, not \(size)",
                file: metadata.storage.name,
                offset: offset
            )
        }
        return bitmaps
    }
}

extension QCOW2Bitmap {
    fileprivate init(_ cursor: inout QCOW2MetadataCursor, _ header: QCOW2Header) throws(DrayError) {
        let fields = try cursor.take(24)
        tableOffset = fields.load(0)
        tableSize = fields.load(8)
        flags = fields.load(12)
        granularityBits = fields.bytes[17]
        let nameSize = Int(fields.load(18, as: UInt16.self))
        guard tableSize > 0, tableSize <= QCOW2.mostBitmapTableEntries, tableOffset != 0,
            tableOffset % header.clusterSize == 0
        else { throw fields.corrupt("a bitmap's table has a bad place or size", 0) }
        guard fields.bytes[16] == 1, (9...31).contains(granularityBits), flags & ~3 == 0,
            nameSize <= QCOW2.longestName
        else { throw fields.corrupt("a bitmap's type, granularity, flags or name are bad", 12) }
        let size = UInt64(tableSize) * header.clusterSize
        let covered = (size * 8).multiplied(by: 1 << UInt64(granularityBits)) ?? .max
        guard size <= QCOW2.largestBitmap, flags & 1 != 0 || header.size <= covered else {
            throw fields.corrupt("a bitmap's size is not that of its disk, or over 512 MiB", 8)
        }
        guard fields.load(20, as: UInt32.self) == 0 else {
            throw fields.unsupported("a bitmap has extra data", 20)
        }
        name = String(decoding: try cursor.take(nameSize).bytes, as: UTF8.self)
    }

    /// Whether a table entry is as the specification has it.
    static func isSound(_ entry: UInt64, clusterSize: UInt64) -> Bool {
        let offset = entry & QCOW2.offsetMask
        guard entry & 0xFF00_0000_0000_01FE == 0 else { return false }
        return offset == 0 || (entry & 1 == 0 && offset % clusterSize == 0)
    }
}
