// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage
internal import Storage

/// What `dray info` tells about one image, in qemu-img's terms.
struct LayerDescription {
    /// The path of the image's file.
    let path: String
    /// The format's name.
    let format: String
    /// The disk's size in bytes, in whole sectors.
    let virtualSize: UInt64
    /// The space that its files take on their file systems, in bytes.
    let actualSize: UInt64
    /// The backing image as the image names it.
    let backing: BackingReference?
    /// What the format tells.
    let details: FormatInformation

    /// The archive's member that the image is, where it is one.
    let archived: ArchivedDisk?

    /// Describes `layer`.
    init(_ layer: any ImageDriver, archived: ArchivedDisk? = nil) throws(DrayError) {
        self.archived = archived
        path = archived == nil ? layer.storage.name : try layer.storage.identity().name
        format = layer.format.rawValue
        virtualSize = layer.guestSize.roundedUp(to: 512) ?? layer.guestSize
        // As with qemu-img, a qcow2 image's data file does not count, and a disk's extents do.
        let files = layer.format == .vmdk ? layer.storages : [layer.storage]
        var space: UInt64 = 0
        for file in files { space += try FileSpace.allocated(file.identity().name) }
        actualSize = space
        backing = layer.backing
        details = try layer.information()
    }

    /// The path of the backing image: what it is named, seen from the image's directory.
    var fullBackingPath: String? {
        guard let name = backing?.name else { return nil }
        let isProtocol = name.utf8.prefix { $0 != UInt8(ascii: "/") }.contains(UInt8(ascii: ":"))
        if PathParts.isAbsolute(name) || isProtocol { return name }
        return PathParts(path).directoryPrefix + name
    }

    /// The object of `--output json`.
    var json: FormatInformation.Value {
        typealias Field = FormatInformation.Field
        var fields: [Field] = []
        if let format = backing?.format {
            fields.append(Field("backing-filename-format", .text(format)))
        }
        if !details.snapshots.isEmpty {
            fields.append(Field("snapshots", .list(details.snapshots.map { .object($0) })))
        }
        fields.append(Field("virtual-size", .number(virtualSize)))
        fields.append(Field("filename", .text(path)))
        if let size = details.clusterSize { fields.append(Field("cluster-size", .number(size))) }
        fields.append(Field("format", .text(format)))
        fields.append(Field("actual-size", .number(actualSize)))
        if details.isEncrypted { fields.append(Field("encrypted", .flag(true))) }
        if !details.fields.isEmpty {
            let specific = [Field("type", .text(format)), Field("data", .object(details.fields))]
            fields.append(Field("format-specific", .object(specific)))
        }
        if let full = fullBackingPath { fields.append(Field("full-backing-filename", .text(full))) }
        if let backing { fields.append(Field("backing-filename", .text(backing.name))) }
        fields.append(Field("dirty-flag", .flag(details.isDirty)))
        if let archived {
            let others = archived.others.map { FormatInformation.Value.text($0) }
            fields.append(Field("archive-member", .text(archived.name)))
            fields.append(Field("archive-other-disks", .list(others)))
            fields.append(Field("archive-manifest", .text(archived.manifest)))
        }
        return .object(fields)
    }
}

extension ArchivedDisk {
    /// What the manifest has for the disk. Only jobs compare it with the disk's bytes.
    var manifest: String {
        guard let digests else { return "none" }
        return (digests.last?.algorithm ?? "") + ", not checked by this command"
    }
}
