// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage
internal import Storage

/// A new image's backing image, and where it stands in the chain that is converted.
struct BaseImage: Sendable {
    /// The size of its virtual disk in bytes: behind it the new image reads as zeros by itself.
    let guestSize: UInt64
    /// How many layers of the source lie above it. Nil where the source's chain does not contain it: then everything
    /// is copied, which is right for any backing image.
    let layersAbove: Int?
    /// What names its content, in formats that store that.
    let contentID: UInt32?

    /// The backing image that the target's options name, or nil where they name none.
    static func named(
        by target: TargetSpec,
        disk: SourceDisk,
        gate: any ReferenceGate
    ) throws(DrayError) -> BaseImage? {
        guard let backing = TargetFormats.backing(in: target.options, for: target.format) else {
            return nil
        }
        let path =
            PathParts.isAbsolute(backing.name)
            ? backing.name : PathParts(target.path).directoryPrefix + backing.name
        let format = backing.format.flatMap(ImageFormat.init)
        let opener = ImageOpener(gate: gate)
        let base = try opener.openBacking(path, format)
        if target.existing == .replace {
            try refuseLoop(try opener.open(path: path, format: base.format), target)
        }
        return BaseImage(
            guestSize: base.guestSize,
            layersAbove: try layers(of: disk, above: try base.storage.identity()),
            contentID: (base as? VMDKDriver)?.descriptor.cid
        )
    }

    /// Fails with `refused` where the file that the new image replaces is what the new image would stand on.
    private static func refuseLoop(_ chain: Image, _ target: TargetSpec) throws(DrayError) {
        // A target that is not there yet is in nobody's way; what else may be wrong with it is found when it is made.
        guard
            let mine = try? StorageOpener.open(target.path, for: .reading, cache: .writeback)
                .identity()
        else { return }
        for storage in chain.storages {
            let other = try storage.identity()
            guard other.device == mine.device, other.inode == mine.inode else { continue }
            let text = "the target is needed by the backing image that it is to have"
            throw DrayError(.refused, text, file: target.path)
        }
    }

    private static func layers(
        of disk: SourceDisk,
        above base: StorageIdentity
    ) throws(DrayError) -> Int? {
        guard disk.images.count == 1 else { return nil }
        for (level, layer) in disk.images[0].layers.enumerated() {
            let identity = try layer.storage.identity()
            if identity.device == base.device, identity.inode == base.inode { return level }
        }
        return nil
    }
}
