// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Storage

extension QCOW2Checker {
    /// The header of LUKS, where the image has one: its extension holds offset and length.
    mutating func checkEncryption() {
        guard let data = header.data(of: QCOW2.extensionEncryption), data.count == 16 else {
            return
        }
        let reader = MetadataReader(data, file: nil)
        reference(reader.load(0), reader.load(8))
    }

    /// The bitmap directory, the bitmaps' tables and their clusters. False where they cannot be read.
    mutating func checkBitmaps() throws(DrayError) -> Bool {
        let bitmaps: [QCOW2Bitmap]
        do throws(DrayError) {
            guard let directory = try QCOW2BitmapDirectory(header, file: metadata.storage.name)
            else { return true }
            reference(directory.offset, directory.size)
            bitmaps = try directory.bitmaps(header, metadata)
            try refuseSharedTables(bitmaps)
            for bitmap in bitmaps { try checkBitmap(bitmap) }
        } catch  where error.kind == .corrupt || error.kind == .unsupported {
            corruption(1, error.description)
            report.checkErrors += 1
            return false
        }
        return true
    }

    /// Tables that together are larger than the file overlap: thousands of bitmaps with one large table would be walked
    /// for hours.
    private func refuseSharedTables(_ bitmaps: [QCOW2Bitmap]) throws(DrayError) {
        let total = bitmaps.reduce(UInt64(0)) { $0 + UInt64($1.tableSize) * 8 }
        guard total <= metadata.length else {
            throw DrayError(
                .corrupt,
                "the tables of the bitmaps (\(total) bytes) are larger than the file",
                file: metadata.storage.name
            )
        }
    }

    private mutating func checkBitmap(_ bitmap: QCOW2Bitmap) throws(DrayError) {
        reference(bitmap.tableOffset, UInt64(bitmap.tableSize) * 8)
        let entries = try metadata.words(
            "the table of bitmap \(bitmap.name)",
            at: bitmap.tableOffset,
            count: Int(bitmap.tableSize)
        )
        for (index, entry) in entries.enumerated() {
            guard QCOW2Bitmap.isSound(entry, clusterSize: clusterSize) else {
                throw DrayError(
                    .corrupt,
                    "the table of bitmap \(bitmap.name) has the entry \(hex(entry))",
                    file: metadata.storage.name,
                    offset: bitmap.tableOffset + UInt64(index) * 8
                )
            }
            let offset = entry & QCOW2.offsetMask
            if offset != 0 { reference(offset, clusterSize) }
        }
    }

    /// Every refcount block is in the file, at a multiple of the cluster size, and used for nothing else.
    mutating func checkRefcountBlocks() {
        for (index, entry) in stored.table.enumerated() where entry != 0 {
            let offset = entry & ~QCOW2.refcountTableReserved
            let cluster = offset / clusterSize
            if entry & QCOW2.refcountTableReserved != 0 {
                corruption(1, "refcount table entry \(index) has reserved bits set")
            } else if offset % clusterSize != 0 {
                corruption(1, "refcount block \(index) is not at a multiple of the cluster size")
            } else if cluster >= UInt64(counts.clusterCount) {
                corruption(1, "refcount block \(index) is outside the image")
            } else {
                reference(offset, clusterSize)
                let count = counts[Int(cluster)]
                if count != 1 { corruption(1, "refcount block \(index) refcount=\(count)") }
            }
        }
    }

    /// Compares what is stored with what was counted, and finds the end of what is used.
    mutating func compare() throws(DrayError) {
        var last: UInt64 = 0
        for cluster in 0..<counts.clusterCount {
            let counted = counts[cluster]
            guard let refcount = try stored.refcount(UInt64(cluster)) else {
                report.checkErrors += 1
                note("ERROR the refcount of cluster \(cluster) cannot be read")
                continue
            }
            if refcount > 0 || counted > 0 { last = UInt64(cluster) }
            if refcount < counted {
                corruption(1, "cluster \(cluster) refcount=\(refcount) reference=\(counted)")
            } else if refcount > counted {
                report.leaks += 1
                note("Leaked cluster \(cluster) refcount=\(refcount) reference=\(counted)")
            }
        }
        report.imageEndOffset = (last + 1) * clusterSize
    }
}
