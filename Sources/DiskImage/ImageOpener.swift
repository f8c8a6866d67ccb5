// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
package import Storage

/// Opens images with their backing chains. Every file that an image names goes through the gate.
package struct ImageOpener: Sendable {
    /// How many layers a chain may have.
    package static let deepestChain = 256

    private let gate: any ReferenceGate
    private let cache: CacheMode
    private let wrap: @Sendable (any Storage) -> any Storage
    private let pulse: Pulse

    /// An opener whose images may name what `gate` allows. `wrap` may put something around each storage. Opening a compressed stream takes
    /// long, and calls `pulse` meanwhile.
    package init(
        gate: any ReferenceGate,
        cache: CacheMode = .writeback,
        wrap: @escaping @Sendable (any Storage) -> any Storage = { $0 },
        pulse: Pulse = .unheeded
    ) {
        self.gate = gate
        self.cache = cache
        self.wrap = wrap
        self.pulse = pulse
    }

    /// Opens the image at `path` and everything below it.
    ///
    /// Without a format the first bytes tell; give one where the image comes from a stranger and is meant to be raw.
    /// `snapshot` says which internal snapshot, `member` a disk of an archive. Fails with `refused` where the gate says no, with
    /// `corrupt` where the chain loops.
    package func open(
        path: String,
        format: ImageFormat? = nil,
        snapshot: SnapshotChoice? = nil,
        member: String? = nil
    ) throws(DrayError) -> Image {
        let first = try openAlone(path: path, format: format, snapshot: snapshot, member: member)
        guard first.layers[0].backing != nil else { return first }
        if let archived = first.archived { throw archived.namesOthers(at: path) }
        var layers = first.layers
        var seen: Set<[UInt64]> = []
        var referrer = path
        while true {
            let layer = layers[layers.count - 1]
            let identity = try layer.storage.identity()
            guard seen.insert([identity.device, identity.inode]).inserted else {
                throw DrayError(
                    .corrupt,
                    "the chain of backing images loops back to this image",
                    file: referrer
                )
            }
            guard layers.count <= Self.deepestChain else {
                throw DrayError(
                    .unsupported,
                    "the chain of backing images is deeper than \(Self.deepestChain)",
                    file: path
                )
            }
            guard let backing = layer.backing else { return Image(path: path, layers: layers) }
            let format = try backingFormat(backing, referrer: referrer)
            referrer = try gate.resolve(backing.name, referrer: referrer)
            layers.append(try openBacking(referrer, format))
        }
    }

    /// Opens the image at `path` alone: its backing image is not opened.
    package func openAlone(
        path: String,
        format: ImageFormat?,
        snapshot: SnapshotChoice? = nil,
        member: String? = nil
    ) throws(DrayError) -> Image {
        let storage = try openFile(path)
        let format = if let format { format } else { try Self.probe(storage) }
        if format == .ova {
            let disk = try OVAPackage(storage).disk(member)
            let layer = try driver(try disk.format(), of: disk.storage, path, snapshot: snapshot) {
                _ throws(DrayError) in throw disk.namesOthers(at: path)
            }
            return Image(path: path, layers: [layer], archived: disk)
        }
        guard member == nil else {
            throw DrayError(.invalid, "a member is asked for, but this is no archive", file: path)
        }
        return Image(path: path, layers: [try layer(format, of: storage, path, snapshot: snapshot)])
    }

    /// Opens one image below another, without what is below it. It is what it is without a container around it: what looks like an
    /// archive or a compressed stream is raw, as it is to the guest of the image above.
    package func openBacking(
        _ path: String,
        _ format: ImageFormat?
    ) throws(DrayError) -> any ImageDriver {
        let storage = try openFile(path)
        var format = if let format { format } else { try Self.probe(storage) }
        if format.isContainer { format = .raw }
        return try layer(format, of: storage, path, snapshot: nil)
    }

    private func layer(
        _ format: ImageFormat,
        of storage: any Storage,
        _ path: String,
        snapshot: SnapshotChoice?
    ) throws(DrayError) -> any ImageDriver {
        try driver(format, of: storage, path, snapshot: snapshot) { name throws(DrayError) in
            format == .qcow2
                ? try openDataFile(name, of: storage, at: path)
                : try openExtent(name, of: storage, at: path)
        }
    }

    /// The driver of `storage`, which opens the other files that the image has by `open`.
    private func driver(
        _ format: ImageFormat,
        of storage: any Storage,
        _ path: String,
        snapshot: SnapshotChoice?,
        _ open: @escaping (String) throws(DrayError) -> any Storage
    ) throws(DrayError) -> any ImageDriver {
        guard snapshot == nil || format == .qcow2 else {
            throw DrayError(
                .unsupported,
                "\(format.rawValue) images have no internal snapshots",
                file: path
            )
        }
        if let kind = format.streamKind {
            return try StreamDriver(storage: storage, kind, room: .shared, pulse: pulse)
        }
        switch format {
        case .vmdk: return try VMDKDriver(storage: storage, openExtent: open)
        case .qcow2:
            return try QCOW2Driver(storage: storage, snapshot: snapshot, openDataFile: open)
        case .raw, .gzip, .xz, .zstd, .ova: return RawDriver(storage: storage)
        }
    }

    private func openDataFile(
        _ name: String,
        of image: any Storage,
        at path: String
    ) throws(DrayError) -> any Storage {
        let resolved = try gate.resolve(name, referrer: path)
        let file = try openFile(resolved)
        try refuseSame(file, image, "as its data file", path)
        return file
    }

    /// Fails where `file` is the image at `path` itself, which names it `what`.
    private func refuseSame(
        _ file: any Storage,
        _ image: any Storage,
        _ what: String,
        _ path: String
    ) throws(DrayError) {
        let (own, other) = (try image.identity(), try file.identity())
        guard own.device != other.device || own.inode != other.inode else {
            throw DrayError(.corrupt, "the image names itself \(what)", file: path)
        }
    }

    private func openExtent(_ name: String, of image: any Storage, at path: String)
        throws(DrayError) -> any Storage
    {
        let resolved = try gate.resolve(name, referrer: path)
        let file = try StorageOpener.open(
            resolved,
            for: .reading,
            cache: cache,
            within: gate.confinement
        )
        guard !(file is BlockDeviceStorage) else {
            let text =
                "the image has the device \(name) as an extent; disks of devices are not read"
            throw DrayError(.unsupported, text, file: path)
        }
        try refuseSame(file, image, "as an extent", path)
        return wrap(file)
    }

    private func openFile(_ path: String) throws(DrayError) -> any Storage {
        wrap(
            try StorageOpener.open(
                path,
                for: .reading,
                cache: cache,
                within: gate.confinement
            )
        )
    }

    /// How many bytes of an image are looked at to find its format.
    static let probedBytes = 512

    /// The format that the first bytes of `storage` tell; raw where they tell nothing.
    package static func probe(_ storage: any Storage) throws(DrayError) -> ImageFormat {
        let head = Int(min(storage.length, UInt64(probedBytes)))
        guard head > 0 else { return .raw }
        let buffer = AlignedBuffer(count: probedBytes)
        try storage.read(HostOffset(0), into: buffer, 0..<head)
        let bytes = buffer.bytes(0..<head)
        if let kind = StreamKind(head: bytes) { return kind.format }
        if TarHeader.matches(bytes) { return .ova }
        if QCOW2Header.matches(bytes) { return .qcow2 }
        return VMDKDriver.probe(bytes) ? .vmdk : .raw
    }

    private func backingFormat(
        _ backing: BackingReference,
        referrer: String
    ) throws(DrayError) -> ImageFormat? {
        guard let name = backing.format else { return nil }
        guard let format = ImageFormat(rawValue: name), !format.isContainer else {
            throw DrayError(
                .unsupported,
                "the backing image \(backing.name) has the format \(name), which Dray does not read",
                file: referrer
            )
        }
        return format
    }
}
