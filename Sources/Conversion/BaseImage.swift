// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage
internal import Storage

/// Finds a new image's backing image in the chain that is converted.
enum BaseImage {
    /// How many layers of `disk` lie above the backing image that the target's options name. Nil where they name none, and
    /// where the chain does not contain it (then everything is copied, which is right for any backing image).
    static func layersAbove(
        _ target: TargetSpec,
        disk: SourceDisk,
        gate: any ReferenceGate
    ) throws(DrayError) -> Int? {
        guard let backing = TargetFormats.backing(in: target.options) else { return nil }
        let path =
            backing.name.hasPrefix("/")
            ? backing.name : directory(of: target.path) + backing.name
        let base = try StorageOpener.open(path, for: .reading, cache: .writeback)
        guard disk.images.count == 1 else { return nil }
        let wanted = try base.identity()
        for (level, layer) in disk.images[0].layers.enumerated() {
            let identity = try layer.storage.identity()
            if identity.device == wanted.device, identity.inode == wanted.inode { return level }
        }
        return nil
    }

    private static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "" }
        return String(path[...slash])
    }
}
