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
    /// `snapshot` names an internal snapshot by id or name. Fails with `refused` where the gate says no, with
    /// `corrupt` where the chain loops.
    package func open(
        path: String,
        format: ImageFormat? = nil,
        snapshot: String? = nil
    ) throws(DrayError) -> Image {
        var layers: [any ImageDriver] = []
        var seen: Set<[UInt64]> = []
        var next: (path: String, format: ImageFormat?) = (path, format)
        while true {
            let layer = try openLayer(
                next.path,
                next.format,
                snapshot: layers.isEmpty ? snapshot : nil,
                isBacking: !layers.isEmpty
            )
            let identity = try layer.storage.identity()
            guard seen.insert([identity.device, identity.inode]).inserted else {
                throw DrayError(
                    .corrupt,
                    "the chain of backing images loops back to this image",
                    file: next.path
                )
            }
            layers.append(layer)
            guard layers.count <= Self.deepestChain else {
                throw DrayError(
                    .unsupported,
                    "the chain of backing images is deeper than \(Self.deepestChain)",
                    file: path
                )
            }
            guard let backing = layer.backing else { return Image(path: path, layers: layers) }
            next = (
                try gate.resolve(backing.name, referrer: next.path),
                try backingFormat(backing, referrer: next.path)
            )
        }
    }

    /// Opens one layer without its backing image. One that is another image's backing image (`isBacking`) is what it is without a
    /// container around it: what looks like a compressed stream is raw then, as it is to the guest of that image.
    package func openLayer(
        _ path: String,
        _ format: ImageFormat?,
        snapshot: String? = nil,
        isBacking: Bool = false
    ) throws(DrayError) -> any ImageDriver {
        let storage = try openFile(path)
        var format = if let format { format } else { try Self.probe(storage) }
        if isBacking, format.isStream { format = .raw }
        if snapshot != nil, format == .raw || format.isStream {
            throw DrayError(.unsupported, "raw images have no internal snapshots", file: path)
        }
        if let kind = format.streamKind {
            return try StreamDriver(storage: storage, kind, room: .shared, pulse: pulse)
        }
        switch format {
        case .raw, .gzip, .xz, .zstd: return RawDriver(storage: storage)
        case .vmdk:
            guard snapshot == nil else {
                throw DrayError(.unsupported, "vmdk disks have no internal snapshots", file: path)
            }
            return try VMDKDriver(storage: storage) { name throws(DrayError) in
                try openExtent(name, of: storage, at: path)
            }
        case .qcow2:
            return try QCOW2Driver(storage: storage, snapshot: snapshot) {
                name throws(DrayError) in
                try openDataFile(name, of: storage, at: path)
            }
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

    private func openExtent(_ name: String, of image: any Storage, at path: String) throws(DrayError) -> any Storage {
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
        if QCOW2Header.matches(bytes) { return .qcow2 }
        return VMDKDriver.probe(bytes) ? .vmdk : .raw
    }

    private func backingFormat(
        _ backing: BackingReference,
        referrer: String
    ) throws(DrayError) -> ImageFormat? {
        guard let name = backing.format else { return nil }
        guard let format = ImageFormat(rawValue: name), !format.isStream else {
            throw DrayError(
                .unsupported,
                "the backing image \(backing.name) has the format \(name), which Dray does not read",
                file: referrer
            )
        }
        return format
    }
}
