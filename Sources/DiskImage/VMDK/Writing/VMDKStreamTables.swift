// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

/// The metadata between and behind the grains of a stream-optimized extent (specification, "Stream-Optimized Compressed Sparse
/// Extents"): each table follows its grains, each part has a marker before it, so that the extent can be read from its start to its
/// end. A table has the grains of one range.
enum VMDKStreamTables {
    /// The length of a marker without a grain, in bytes.
    static let markerLength = Int(VMDK.sector)
    /// The length of a table and its marker, in bytes.
    static let trailerLength = markerLength + Int(VMDKSparseLayout.tableLength)

    /// A marker: what follows it is `sectors` long.
    static func marker(_ type: UInt32, sectors: UInt64) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: markerLength)
        bytes.storeLittleEndian(sectors, at: 0)
        bytes.storeLittleEndian(type, at: VMDK.markerTypeOffset)
        return bytes
    }

    /// The table of a range that has grains, with its marker.
    static func trailer(_ placement: RangePlacement) -> [UInt8] {
        let length = VMDKSparseLayout.tableLength
        var bytes = marker(VMDK.markerTable, sectors: length / VMDK.sector)
        bytes += [UInt8](repeating: 0, count: Int(length))
        var place = placement.reservation?.bytes ?? 0
        var lengths = placement.stored?.makeIterator()
        var entry = markerLength
        for run in placement.runs {
            for _ in 0..<run.count {
                if run.state == .data {
                    bytes.storeLittleEndian(UInt32(place / VMDK.sector), at: entry)
                    place += lengths?.next() ?? 0
                }
                entry += Int(VMDK.entrySize)
            }
        }
        return bytes
    }

    /// Where a range's grains end and its table's marker begins; nil where it has none.
    static func tableMarker(_ placement: RangePlacement) -> HostOffset? {
        guard let start = placement.reservation, let stored = placement.stored else { return nil }
        var lengths = stored.makeIterator()
        var end = start
        while let length = lengths.next() { end = end + length }
        return end
    }
}
