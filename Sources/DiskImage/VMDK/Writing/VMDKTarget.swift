// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
package import Storage

/// Writes VMDK images.
///
/// A sparse extent's tables have their place before the grains, which follows from the extent's size; it stays a hole until
/// ``seal(_:file:_:_:)``. A flat extent is a raw file. The descriptor is in the extent or, of an image of several files, in the one that
/// the user named.
package struct VMDKTarget: TargetFormat {
    package let format = ImageFormat.vmdk
    /// The size of the virtual disk in bytes: what was asked for, rounded up to 512.
    package let guestSize: UInt64
    package let placement: Placement
    package let files: TargetFiles?
    /// The options.
    package let options: VMDKOptions

    /// The name of the file, which the descriptor repeats where it is in it.
    let name: String
    /// How the disk is divided.
    let extents: VMDKExtents
    /// How grains are compressed, if they are.
    private let codec: VMDKStreamCodec?

    /// A target for a disk of `guestSize` bytes with the options of `-o`, in a file of this name. With a `sparseSize` of 0 it asks
    /// for all zeros to be written; `compression` is for streams, which are compressed without it too. Fails with `invalid` or `unsupported`, naming the option or the limit.
    package init(
        guestSize: UInt64,
        options: [FormatOption],
        name: String,
        sparseSize: UInt64 = 4096,
        compression: CompressionEffort? = nil
    ) throws(DrayError) {
        guard let size = guestSize.roundedUp(to: VMDK.sector),
            size / VMDK.sector <= VMDK.mostSectors
        else { throw DrayError(.invalid, "a disk of \(guestSize) bytes is too large") }
        let options = try VMDKOptions(options, guestSize: guestSize)
        let isStream = options.subformat.isCompressed
        guard isStream || compression == nil else {
            throw DrayError(.invalid, "compression (-c) needs subformat streamOptimized")
        }
        codec = isStream ? try VMDKStreamCodec(compression ?? .balanced) : nil
        self.guestSize = size
        self.options = options
        self.name = name
        extents = VMDKExtents(guestSize: size, subformat: options.subformat)
        try extents.checkSize()
        files = extents.files(of: name)
        let rules = options.allocation(extents.payloadStart(0), storesAllZeros: sparseSize == 0)
        placement =
            if let codec {
                .packed(codec.packing(rules))
            } else if options.subformat.isFlat {
                .identity(start: HostOffset(extents.share))
            } else {
                .allocated(rules)
            }
        // A name that cannot be written is refused now, not after all payload is written.
        _ = try descriptor(TargetIdentity())
    }

    package var keepsSpace: Bool { options.preallocation.takesSpace }

    package func prepare(_ storage: any Storage, file: Int) throws(DrayError) {
        guard options.subformat.isFlat, file > 0 else { return }
        let length = extents.capacity(file - 1)
        try storage.resize(length)
        try options.preallocation.apply(to: storage, HostOffset(0), length: length)
    }

    package func seal(
        _ storage: any Storage,
        file: Int,
        _ ranges: [RangePlacement],
        _ identity: TargetIdentity
    ) throws(DrayError) {
        do throws(DrayError) {
            let text = try [UInt8](descriptor(identity).utf8)
            if case .packed(let packing) = placement {
                try sealStream(storage, packing, ranges, descriptor: text)
            } else if options.subformat.embedsDescriptor {
                try sealSparse(storage, extent: 0, ranges, descriptor: text)
            } else if file == 0 {
                try write(text, to: storage)
            } else if options.subformat.isFlat {
                try storage.flush()
            } else {
                try sealSparse(storage, extent: file - 1, ranges, descriptor: [])
            }
        } catch {
            throw error.at(file: storage.name)
        }
    }

    package func makeEncoder() -> any ClusterEncoder {
        guard let codec else { preconditionFailure("only packed targets encode clusters") }
        return codec.makeEncoder()
    }

    package func trailer(_ placement: RangePlacement) -> [UInt8] {
        VMDKStreamTables.trailer(placement)
    }

    private func sealStream(
        _ storage: any Storage,
        _ packing: Packing,
        _ ranges: [RangePlacement],
        descriptor: [UInt8]
    ) throws(DrayError) {
        try VMDKStreamCheck(packing, guestSize: guestSize).validate(ranges)
        try VMDKStreamSealer(
            storage,
            extents.layout(0),
            ranges,
            hasZeroedGrains: options.hasZeroedGrains,
            descriptor: descriptor
        ).seal()
    }

    private func sealSparse(
        _ storage: any Storage,
        extent index: Int,
        _ ranges: [RangePlacement],
        descriptor: [UInt8]
    ) throws(DrayError) {
        let layout = extents.layout(index)
        let rules = options.allocation(layout.firstGrain, storesAllZeros: false)
        let map = try ClusterMap(
            extents.placements(index, of: ranges),
            PlacementCheck(rules: rules, guestSize: layout.capacity),
            l2Entries: UInt64(VMDK.tableEntries),
            fillsHoles: false
        )
        try VMDKSparseSealer(
            storage,
            layout,
            map,
            hasZeroedGrains: options.hasZeroedGrains,
            descriptor: descriptor
        ).seal()
    }

    private func write(_ text: [UInt8], to storage: any Storage) throws(DrayError) {
        let buffer = AlignedBuffer(count: text.count)
        buffer.copy(text, to: 0)
        try storage.write(HostOffset(0), from: buffer, 0..<text.count)
        try storage.resize(UInt64(text.count))
        try storage.flush()
    }
}

extension VMDKExtents {
    /// Fails with `invalid` where a disk is too large for its subformat.
    fileprivate func checkSize() throws(DrayError) {
        let isTooLarge =
            subformat.isFlat && guestSize > Self.largestFlat
            || count > VMDK.mostExtents
            || !subformat.isFlat && layout(0).tableCount > VMDKSparseLayout.mostTables
        guard isTooLarge else { return }
        let name = subformat.rawValue
        let text = "a disk of \(guestSize) bytes is too large for a vmdk image of subformat \(name)"
        throw DrayError(.invalid, text)
    }
}

extension VMDKOptions {
    /// The rules for the data plane.
    fileprivate func allocation(_ first: HostOffset, storesAllZeros: Bool) -> Allocation {
        // A table of a stream comes with stored grains, and who reads the stream alone sees none that are only marked.
        let canMarkZeros = hasZeroedGrains && subformat != .streamOptimized
        let limit = subformat.isSplit ? UInt64(Int64.max) : VMDKSparseLayout.payloadLimit
        return Allocation(
            firstPayload: first,
            clusterSize: VMDKSparseLayout.grainSize,
            granule: VMDKSparseLayout.grainSize,
            marksZeros: backing != nil || storesAllZeros,
            storedZeros: storesAllZeros ? .all : backing != nil && !canMarkZeros ? .hiding : .none,
            payloadLimit: HostOffset(limit)
        )
    }
}
