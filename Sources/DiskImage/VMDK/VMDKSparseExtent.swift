// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Storage

/// An extent that has its content in grains, of whichever kind.
final class VMDKSparseExtent: Sendable {
    /// Where the grains are.
    let map: VMDKGrainMap
    /// Decodes them; nil where they are stored as they are.
    let decoder: VMDKGrainDecoder?

    /// The extent in `storage`, of the kind that its first bytes say. `sectors` is the size that the descriptor tells; where that is
    /// embedded, the header's size is the disk's, as with qemu.
    ///
    /// Fails with `corrupt` where the header tells another size (it may be rounded up to a grain), or where what the header names
    /// is not in the file.
    init(
        _ storage: any Storage,
        sectors: UInt64,
        isEmbedded: Bool = false,
        caches: VMDKCaches
    ) throws(DrayError) {
        let metadata = StorageMetadata(storage)
        let count = min(metadata.length, UInt64(VMDKCOWDHeader.length))
        let head = try metadata.bytes("the header", at: 0, count: Int(count))
        var geometry: VMDKGrainMap.Geometry
        var hasMarkers = false
        if VMDKCOWDHeader.matches(head) {
            geometry = Self.geometry(try VMDKCOWDHeader(head, file: storage.name))
        } else if VMDKSpaceEfficientHeader.matches(head) {
            geometry = try Self.geometry(
                VMDKSpaceEfficientHeader(head, file: storage.name),
                storage
            )
        } else {
            let header = try VMDKSparseHeader(head, file: storage.name)
            hasMarkers = header.flags.contains(.markers)
            geometry = try Self.geometry(try Self.header(header, metadata), metadata)
            if isEmbedded { geometry.heads += Self.descriptor(header) }
        }
        let size = sectors * VMDK.sector
        let rounded = size.roundedUp(to: geometry.grainSize)
        guard geometry.size == size || geometry.size == rounded else {
            throw DrayError(
                .corrupt,
                "the header tells \(geometry.size / VMDK.sector) sectors, the descriptor \(sectors)",
                file: storage.name,
                offset: 0
            )
        }
        if !isEmbedded { geometry.size = size }
        map = try VMDKGrainMap(geometry, metadata, caches)
        decoder =
            geometry.isCompressed
            ? VMDKGrainDecoder(
                metadata,
                grainSize: Int(geometry.grainSize),
                hasMarkers: hasMarkers,
                caches: caches
            ) : nil
    }

    /// What holds the extent.
    var storage: any Storage { map.metadata.storage }

    /// The header that counts: the footer where the header says that the directory comes at the end.
    private static func header(_ header: VMDKSparseHeader, _ metadata: StorageMetadata)
        throws(DrayError) -> VMDKSparseHeader
    {
        if header.directory != VMDK.directoryAtEnd { return header }
        let footer = try VMDKFooter.find(metadata)
        guard footer.capacity == header.capacity, footer.grainSize == header.grainSize,
            footer.tableEntries == header.tableEntries, footer.compression == header.compression,
            footer.directory != VMDK.directoryAtEnd
        else {
            throw DrayError(
                .corrupt,
                "the footer says something else than the header",
                file: metadata.storage.name,
                offset: metadata.length
            )
        }
        return footer
    }

    private static func geometry(_ header: VMDKSparseHeader, _ metadata: StorageMetadata)
        throws(DrayError) -> VMDKGrainMap.Geometry
    {
        guard let directory = header.directory.multiplied(by: VMDK.sector) else {
            throw DrayError(
                .corrupt,
                "gdOffset is \(header.directory) sectors, more than any file has",
                file: metadata.storage.name,
                offset: 56
            )
        }
        let overhead = header.overhead.multiplied(by: VMDK.sector) ?? .max
        guard overhead <= metadata.length else {
            throw DrayError(
                .corrupt,
                "the file is cut off: its metadata alone take \(header.overhead) sectors (overHead)",
                file: metadata.storage.name,
                offset: 64
            )
        }
        let redundant =
            header.flags.contains(.redundantDirectory)
            ? header.redundantDirectory.multiplied(by: VMDK.sector) ?? .max : nil
        return VMDKGrainMap.Geometry(
            size: header.capacity * VMDK.sector,
            grainSize: header.grainSize * VMDK.sector,
            tableEntries: UInt64(header.tableEntries),
            directory: directory,
            redundantDirectory: redundant,
            rules: .hosted(zeroedGrains: header.flags.contains(.zeroedGrains)),
            isCompressed: header.isCompressed,
            heads: head(UInt64(VMDK.sparseHeaderLength))
        )
    }

    private static func geometry(_ header: VMDKCOWDHeader) -> VMDKGrainMap.Geometry {
        VMDKGrainMap.Geometry(
            size: UInt64(header.capacity) * VMDK.sector,
            grainSize: UInt64(header.grainSize) * VMDK.sector,
            tableEntries: VMDKCOWDHeader.tableEntries,
            directory: UInt64(header.directory) * VMDK.sector,
            redundantDirectory: nil,
            rules: .cowd,
            heads: head(UInt64(VMDKCOWDHeader.length))
        )
    }

    private static func head(_ size: UInt64) -> [VMDKMetadataPlaces.Part] {
        [VMDKMetadataPlaces.Part("the header", at: 0, size: size)].compactMap { $0 }
    }

    /// Where the embedded descriptor is. An extent with another one may say anything here.
    private static func descriptor(_ header: VMDKSparseHeader) -> [VMDKMetadataPlaces.Part] {
        guard let start = header.descriptorOffset.multiplied(by: VMDK.sector),
            let size = header.descriptorSize.multiplied(by: VMDK.sector)
        else { return [] }
        return [VMDKMetadataPlaces.Part("the descriptor", at: start, size: size)].compactMap { $0 }
    }

    private static func geometry(_ header: VMDKSpaceEfficientHeader, _ storage: any Storage)
        throws(DrayError) -> VMDKGrainMap.Geometry
    {
        let geometry = VMDKGrainMap.Geometry(
            size: header.capacity * VMDK.sector,
            grainSize: VMDKSpaceEfficientHeader.grainSize * VMDK.sector,
            tableEntries: VMDKSpaceEfficientHeader.tableSize * VMDK.sector
                / VMDK.spaceEfficientEntrySize,
            directory: header.directory * VMDK.sector,
            redundantDirectory: nil,
            rules: .spaceEfficient(
                tables: header.tables * VMDK.sector,
                grains: header.grains * VMDK.sector
            ),
            heads: head(UInt64(VMDKSpaceEfficientHeader.length))
        )
        let room = header.directorySize * VMDK.sector / VMDK.spaceEfficientEntrySize
        guard geometry.tables <= room else {
            throw DrayError(
                .corrupt,
                "the grain directory has \(room) entries, but the disk needs \(geometry.tables)",
                file: storage.name,
                offset: 136
            )
        }
        return geometry
    }
}
