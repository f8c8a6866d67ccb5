// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Storage

/// The footer of a stream: a copy of the header that tells where the grain directory is, written when that was known.
enum VMDKFooter {
    /// How many sectors of padding may follow the end-of-stream marker.
    private static let mostPadding = 128

    /// Finds and parses the footer: a footer marker, the footer and the end-of-stream marker, a sector each, are the file's last,
    /// but for padding. Fails with `corrupt` where they are not.
    static func find(_ metadata: StorageMetadata) throws(DrayError) -> VMDKSparseHeader {
        let sector = Int(VMDK.sector)
        let count = min(metadata.length / VMDK.sector, UInt64(mostPadding + 3))
        let base = (metadata.length / VMDK.sector - count) * VMDK.sector
        let tail = try metadata.bytes("the footer", at: base, count: Int(count) * sector)
        // The end-of-stream marker is all zeros, as padding is.
        let last = tail.lastIndex { $0 != 0 }.map { $0 / sector } ?? 0
        let reader = MetadataReader(tail, file: metadata.storage.name, base: base)
        guard last >= 1, last + 1 < Int(count),
            VMDKSparseHeader.matches(Array(tail[last * sector..<last * sector + 4]))
        else {
            let text = "the header says that a footer ends the file, but there is none"
            throw reader.corrupt(text, max(0, tail.count - 2 * sector))
        }
        let marker = (last - 1) * sector
        guard reader.little(marker + 8, as: UInt32.self) == 0,
            reader.little(marker + VMDK.markerTypeOffset, as: UInt32.self) == VMDK.markerFooter
        else { throw reader.corrupt("the footer has no footer marker", marker) }
        let footer = Array(tail[last * sector..<(last + 1) * sector])
        let offset = base + UInt64(last * sector)
        return try VMDKSparseHeader(footer, file: metadata.storage.name, base: offset)
    }
}
