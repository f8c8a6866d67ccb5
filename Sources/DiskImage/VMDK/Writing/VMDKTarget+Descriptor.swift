// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

extension VMDKTarget {
    /// The length of a descriptor that is a file of its own, in bytes; 0 where it is in the extent.
    func separateDescriptorLength() throws(DrayError) -> UInt64 {
        guard !options.subformat.embedsDescriptor else { return 0 }
        return UInt64(try descriptor(TargetIdentity()).utf8.count)
    }

    /// The text of the descriptor. Fails with `invalid` where a name cannot be written.
    func descriptor(_ identity: TargetIdentity) throws(DrayError) -> String {
        var descriptor = VMDKDescriptor(
            cid: identity.content,
            createType: options.subformat.rawValue,
            extents: (0..<extents.count).map { index in
                VMDKExtentLine(
                    .readWrite,
                    sectors: extents.capacity(index) / VMDK.sector,
                    options.subformat.isFlat ? .flat : .sparse,
                    name: files.map { VMDKExtentNames.reference($0.names[index]) } ?? name
                )
            }
        )
        descriptor.encoding = "UTF-8"
        if let backing = options.backing {
            descriptor.parentFileNameHint = backing.name
            descriptor.parentCID = identity.parent ?? VMDK.noParent
        }
        let heads = options.adapter.heads
        let cylinders = guestSize / (VMDK.sector * 63 * heads)
        descriptor.database = [
            VMDKDescriptor.DatabaseEntry("ddb.virtualHWVersion", options.hardwareVersion),
            VMDKDescriptor.DatabaseEntry("ddb.geometry.cylinders", String(cylinders)),
            VMDKDescriptor.DatabaseEntry("ddb.geometry.heads", String(heads)),
            VMDKDescriptor.DatabaseEntry("ddb.geometry.sectors", "63"),
            VMDKDescriptor.DatabaseEntry("ddb.adapterType", options.adapter.rawValue),
            VMDKDescriptor.DatabaseEntry("ddb.toolsVersion", options.toolsVersion),
        ]
        return try descriptor.text()
    }
}
