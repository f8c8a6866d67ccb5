// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage

/// The space that an image's persistent bitmaps would take in another qcow2 image, as qemu-img measure reckons: every
/// bitmap whole, with its table and its entry of the directory.
struct BitmapSpace {
    /// The space in bytes.
    private(set) var bytes: UInt64 = 0
    /// The fixed part of a directory entry, in bytes.
    private static let entryHead: UInt64 = 24

    /// The space in clusters of `clusterSize` bytes.
    init(_ image: QCOW2Driver, clusterSize: UInt64) throws(DrayError) {
        var directory: UInt64 = 0
        for bitmap in Self.bitmaps(try image.information()) {
            let bits = image.guestSize.dividedRoundingUp(by: bitmap.granularity)
            let clusters = bits.dividedRoundingUp(by: 8).dividedRoundingUp(by: clusterSize)
            let tables = (clusters * 8).dividedRoundingUp(by: clusterSize)
            bytes += (clusters + tables) * clusterSize
            directory += (Self.entryHead + bitmap.nameLength).dividedRoundingUp(by: 8) * 8
        }
        bytes += directory.dividedRoundingUp(by: clusterSize) * clusterSize
    }

    /// The bitmaps that are consistent.
    private static func bitmaps(
        _ information: FormatInformation
    ) -> [(granularity: UInt64, nameLength: UInt64)] {
        guard
            case .list(let items) = information.fields.first(where: { $0.key == "bitmaps" })?.value
        else { return [] }
        return items.compactMap { item in
            guard case .object(let fields) = item,
                case .number(let granularity) = value("granularity", fields), granularity > 0,
                case .text(let name) = value("name", fields)
            else { return nil }
            if case .list(let flags) = value("flags", fields), flags.contains(.text("in-use")) {
                return nil
            }
            return (granularity, UInt64(name.utf8.count))
        }
    }

    private static func value(
        _ key: String,
        _ fields: [FormatInformation.Field]
    ) -> FormatInformation.Value? {
        fields.first { $0.key == key }?.value
    }
}
