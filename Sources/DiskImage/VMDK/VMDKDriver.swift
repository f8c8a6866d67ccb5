// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
package import Storage

/// Reads VMDK disks: a descriptor, of its own or embedded, and the extents that it names.
///
/// Opening reads the descriptor and the headers of all extents; grain directories and tables are validated as they are asked for, so that
/// the cost follows what is read.
package final class VMDKDriver: ImageDriver {
    package let format = ImageFormat.vmdk
    package let storage: any Storage
    package let guestSize: UInt64
    /// The descriptor.
    package let descriptor: VMDKDescriptor

    /// The extents that are not empty, in order.
    let extents: [VMDKExtent]
    /// Whether the descriptor is embedded in the only extent.
    let isEmbedded: Bool

    /// Whether a storage that begins with `bytes` (512, or all that it has) is a VMDK disk or an extent of one.
    package static func probe(_ bytes: [UInt8]) -> Bool {
        VMDKSparseHeader.matches(bytes) || VMDKCOWDHeader.matches(bytes)
            || VMDKDescriptor.matches(bytes)
    }

    /// Opens the disk in `storage`: a descriptor, or a sparse extent with its descriptor in it.
    ///
    /// `openExtent` is called with each name that the descriptor has for an extent: the caller's gate decides there.
    /// Fails with `corrupt` or `unsupported`, naming the line of the descriptor or the field and the offset, or with what reading
    /// fails with.
    package init(
        storage: any Storage,
        openExtent: @escaping (String) throws(DrayError) -> any Storage
    ) throws(DrayError) {
        let source = try VMDKDescriptorSource(storage)
        self.storage = storage
        descriptor = source.descriptor
        isEmbedded = source.isEmbedded
        guard descriptor.parentCID == VMDK.noParent || descriptor.parentFileNameHint != nil else {
            throw DrayError(
                .corrupt,
                "the descriptor has a parentCID, but no parentFileNameHint",
                file: storage.name,
                offset: source.offset
            )
        }
        var builder = VMDKExtentBuilder(descriptorFile: storage, openExtent: openExtent)
        extents =
            source.isEmbedded
            ? [try builder.embedded(source.descriptor, offset: source.offset)]
            : try builder.separate(source.descriptor)
        guestSize = extents.last?.end ?? 0
    }

    package var storages: [any Storage] {
        var all: [any Storage] = [storage]
        for extent in extents {
            guard let file = extent.storage, !all.contains(where: { $0 === file }) else { continue }
            all.append(file)
        }
        return all
    }

    package var readingMemory: Int { extents.map(\.readingMemory).max() ?? 0 }

    package var backing: BackingReference? {
        descriptor.parentFileNameHint.map {
            BackingReference(name: $0, format: ImageFormat.vmdk.rawValue)
        }
    }

    package func problem(above parent: any ImageDriver) -> DrayError? {
        guard let parent = parent as? VMDKDriver else {
            return DrayError(.corrupt, "the parent is not a VMDK disk", file: storage.name)
        }
        guard parent.descriptor.cid != descriptor.parentCID else { return nil }
        let (found, expected) = (parent.descriptor.cid, descriptor.parentCID)
        return DrayError(
            .corrupt,
            "the parent has been changed since this disk was put on top of it: its CID is "
                + "\(VMDKDescriptor.hex(found)), parentCID is \(VMDKDescriptor.hex(expected))",
            file: storage.name
        )
    }

    package func map(_ offset: GuestOffset, limit: UInt64) throws(DrayError) -> LayerExtent {
        precondition(offset.bytes < guestSize && limit > 0, "the run starts inside the disk")
        let extent = extent(at: offset.bytes)
        let start = offset.bytes - extent.start
        let end = start + min(limit, extent.size - start)
        switch extent.content {
        case .zero: return LayerExtent(length: end - start, place: .zero(storage, nil))
        case .flat(let file, let first):
            return LayerExtent(length: end - start, place: .data(file, first + start))
        case .sparse(let sparse):
            let run = try sparse.map.run(from: start, to: end)
            return LayerExtent(length: run.length, place: place(run, start, sparse, extent))
        }
    }

    private func place(
        _ run: VMDKGrainMap.Run,
        _ start: UInt64,
        _ sparse: VMDKSparseExtent,
        _ extent: VMDKExtent
    ) -> Place {
        switch run.place {
        case VMDKEntryRules.unallocated: return .unallocated
        case VMDKEntryRules.zeroed: return .zero(sparse.storage, nil)
        default:
            guard sparse.decoder != nil else {
                return .data(sparse.storage, HostOffset(run.place))
            }
            let grain = sparse.map.geometry.grainSize
            let cluster = CompressedCluster(
                guestStart: GuestOffset(extent.start + start.roundedDown(to: grain)),
                guestLength: Int(grain),
                host: HostOffset(run.place),
                hostLength: Int(min(2 * grain, sparse.map.metadata.length - run.place))
            )
            return .compressed(cluster)
        }
    }

    package func decode(
        _ cluster: CompressedCluster,
        into buffer: AlignedBuffer,
        at start: Int
    ) throws(DrayError) {
        let extent = extent(at: cluster.guestStart.bytes)
        guard case .sparse(let sparse) = extent.content, let decoder = sparse.decoder else {
            throw DrayError(.bug, "the extent has no compressed grains", file: storage.name)
        }
        let inside = cluster.guestStart.bytes - extent.start
        let grain = VMDKGrainDecoder.Grain(
            place: cluster.host.bytes,
            start: inside,
            needed: Int(min(UInt64(cluster.guestLength), extent.size - inside))
        )
        try decoder.decode(grain, into: buffer, at: start)
    }

    /// Whether the byte at `offset` lies in a flat extent, whose file has holes of its own.
    package func isFlat(at offset: GuestOffset) -> Bool {
        guard case .flat = extent(at: offset.bytes).content else { return false }
        return true
    }

    /// The extent that has the guest byte at `position`.
    func extent(at position: UInt64) -> VMDKExtent {
        var low = 0
        var high = extents.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if extents[middle].start <= position { low = middle } else { high = middle }
        }
        return extents[low]
    }
}
