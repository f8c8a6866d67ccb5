// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
package import Storage

/// Writes VMDK images.
///
/// A sparse extent's tables have their place before the grains, which follows from the disk's size; it stays a hole until
/// ``seal(_:_:_:)``.
package struct VMDKTarget: TargetFormat {
    package let format = ImageFormat.vmdk
    /// The size of the virtual disk in bytes: what was asked for, rounded up to 512.
    package let guestSize: UInt64
    package let placement: Placement
    /// The options.
    package let options: VMDKOptions

    /// The name of the file, which the descriptor repeats.
    let name: String
    private let rules: Allocation
    private let layout: VMDKSparseLayout

    /// A target for a disk of `guestSize` bytes with the options of `-o`, in a file of this name. With a `sparseSize` of 0 it asks
    /// for all zeros to be written. Fails with `invalid` or `unsupported`, naming the option or the limit.
    package init(
        guestSize: UInt64,
        options: [FormatOption],
        name: String,
        sparseSize: UInt64 = 4096
    ) throws(DrayError) {
        guard let size = guestSize.roundedUp(to: VMDK.sector),
            size / VMDK.sector <= VMDK.mostSectors
        else { throw DrayError(.invalid, "a disk of \(guestSize) bytes is too large") }
        let options = try VMDKOptions(options, guestSize: guestSize)
        guard options.subformat == .monolithicSparse else {
            let text = "Dray does not write vmdk images of subformat \(options.subformat.rawValue)"
            throw DrayError(.unsupported, text)
        }
        layout = VMDKSparseLayout(capacity: size, hasDescriptor: true)
        guard layout.tableCount <= VMDKSparseLayout.mostTables else {
            let text = "a disk of \(guestSize) bytes is too large for a sparse vmdk image"
            throw DrayError(.invalid, text)
        }
        self.guestSize = size
        self.options = options
        self.name = name
        let storesAllZeros = sparseSize == 0
        rules = Allocation(
            firstPayload: layout.firstGrain,
            clusterSize: VMDKSparseLayout.grainSize,
            granule: VMDKSparseLayout.grainSize,
            marksZeros: options.backing != nil || storesAllZeros,
            storesZeros: options.backing != nil && !options.hasZeroedGrains || storesAllZeros,
            payloadLimit: HostOffset(VMDKSparseLayout.payloadLimit)
        )
        placement = .allocated(rules)
        // A name that cannot be written is refused now, not after all payload is written.
        _ = try descriptor(TargetIdentity())
    }

    package var keepsSpace: Bool { false }

    /// The space that header, descriptor and tables take.
    var metadataLength: UInt64 { layout.firstGrain.bytes }

    package func prepare(_ storage: any Storage) {}

    package func seal(
        _ storage: any Storage,
        _ ranges: [RangePlacement],
        _ identity: TargetIdentity
    ) throws(DrayError) {
        do throws(DrayError) {
            let map = try ClusterMap(
                ranges,
                PlacementCheck(rules: rules, guestSize: guestSize),
                l2Entries: UInt64(VMDK.tableEntries),
                fillsHoles: false
            )
            try VMDKSparseSealer(
                storage,
                layout,
                map,
                hasZeroedGrains: options.hasZeroedGrains,
                descriptor: [UInt8](descriptor(identity).utf8)
            ).seal()
        } catch {
            throw error.at(file: storage.name)
        }
    }
}
