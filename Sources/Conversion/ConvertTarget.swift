// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Digest
internal import DiskImage
internal import Storage
internal import Synchronization

/// A conversion's target: its format's rules, and the file that payload is written to until the job is sealed.
final class ConvertTarget: Sendable {
    /// What the job asks for.
    let spec: TargetSpec
    /// The format's rules.
    let format: any TargetFormat
    /// How the source's runs are classed for it.
    let classification: SourceClassification
    /// The backing image's size: only before its end do zeros have something to hide.
    let baseSize: UInt64
    /// What tells the new image from others.
    let contents: TargetIdentity
    /// The file beside the target that gets its name at the end; nil where the target is written in place.
    let staging: StagingFile?
    /// What keeps late writers out, where several processes write the target.
    let fence: TargetFence?
    /// What is put around the storage.
    let wrap: @Sendable (any Storage) -> any Storage
    private let opened = Mutex<(any Storage)?>(nil)
    private let planned = Mutex<StorageIdentity?>(nil)

    /// Names the target that `spec` describes for a source of `disk`. Creates nothing.
    init(
        _ spec: TargetSpec,
        job: String,
        disk: SourceDisk,
        gate: any ReferenceGate,
        isFenced: Bool,
        wrap: @escaping @Sendable (any Storage) -> any Storage
    ) throws(DrayError) {
        self.wrap = wrap
        let isDevice = StorageOpener.isBlockDevice(spec.path)
        let spec = isDevice ? spec : try Self.filling(spec, guestSize: disk.guestSize)
        self.spec = spec
        format = try TargetFormats.make(
            spec.format,
            guestSize: disk.guestSize,
            options: spec.options,
            name: spec.path,
            sparseSize: spec.sparseSize
        )
        let isInPlace = isDevice || spec.existing == .overwrite
        if isInPlace { try Self.refuseInPlace(spec) }
        staging = try isInPlace ? nil : StagingFile(target: spec.path, job: job)
        fence = isFenced ? staging.map(TargetFence.init) : nil
        if isFenced { try Self.refuseUnfenced(spec, format, isInPlace: isInPlace) }
        let base = try BaseImage.named(by: spec, disk: disk, gate: gate)
        baseSize = base?.guestSize ?? 0
        contents = TargetIdentity(
            content: try Self.contentID(of: disk),
            parent: base?.contentID
        )
        switch format.placement {
        case .identity:
            classification = SourceClassification(
                granule: 1,
                layersAboveBase: nil,
                storesZeros: spec.sparseSize == 0
            )
        case .allocated(let rules):
            classification = SourceClassification(
                granule: rules.granule,
                layersAboveBase: base?.layersAbove,
                storesZeros: spec.sparseSize == 0 || rules.storesZeros
            )
        }
    }

    /// A file in a format with tables is not written in place but replaced by one with the same options: what was in it is
    /// gone either way, and it stays whole until the new one is.
    static func filling(
        _ spec: TargetSpec,
        guestSize: UInt64
    ) throws(DrayError) -> TargetSpec {
        guard spec.existing == .overwrite, spec.format == .qcow2 else { return spec }
        let existing = try ExistingTarget(qcow2: spec.path)
        guard existing.guestSize == guestSize else {
            throw DrayError(
                .invalid,
                "the target's disk has \(existing.guestSize) bytes and the source's \(guestSize)",
                file: spec.path
            )
        }
        var spec = spec
        spec.existing = .replace
        spec.options = existing.options
        return spec
    }

    /// Whether stretches without data must be written: they cost time, so they must not be joined to long ranges.
    var writesEmptyRanges: Bool { staging == nil || spec.sparseSize == 0 }

    /// The cache mode: what has to be durable must be flushed, which 'unsafe', the default, never does.
    var cache: CacheMode {
        spec.isDurable && spec.cache == .unsafe ? .writeback : spec.cache
    }

    /// Makes the empty target. Doing it again changes nothing: a staging file that is there was made whole.
    func create() throws(DrayError) {
        guard let staging else {
            let storage = try storage()
            try checkRoom(storage)
            return try format.prepare(storage)
        }
        if let fence { return try create(staging, inside: fence) }
        try create(staging)
    }

    /// Makes the empty staging file.
    func create(_ staging: StagingFile) throws(DrayError) {
        try staging.create(replacing: spec.existing == .replace, cache: cache) {
            storage throws(DrayError) in
            try format.prepare(storage)
        }
    }

    /// The storage that payload goes to, opened when first asked for.
    func storage() throws(DrayError) -> any Storage {
        try opened.withLock { opened throws(DrayError) in
            if let storage = opened { return storage }
            let storage =
                if let staging {
                    try staging.open(cache: cache)
                } else {
                    try StorageOpener.open(spec.path, for: .writing, cache: cache)
                }
            let wrapped = wrap(storage)
            opened = wrapped
            return wrapped
        }
    }

    /// What tells this target from another: its staging file, or what that has become, when first asked. Fails where neither is
    /// there.
    func identity() throws(DrayError) -> StorageIdentity {
        try planned.withLock { planned throws(DrayError) in
            if let planned { return planned }
            let identity = try findIdentity()
            planned = identity
            return identity
        }
    }

    private func findIdentity() throws(DrayError) -> StorageIdentity {
        if let staging, !staging.exists {
            return try StorageOpener.open(spec.path, for: .reading, cache: .writeback).identity()
        }
        return try storage().identity()
    }

    /// Writes the tables and gives the file its name; returns its length in bytes. A target that has its name already stays as it is.
    func seal(
        _ placements: [RangePlacement],
        _ control: any TaskControl
    ) throws(DrayError) -> UInt64 {
        if let staging, let fence {
            return try seal(placements, staging, inside: fence, control)
        }
        if let staging, !staging.exists {
            // The plan's name vouches for it: the target has the staging file's inode.
            return try StorageOpener.open(spec.path, for: .reading, cache: .writeback).length
        }
        let storage = try storage()
        try format.seal(storage, placements, contents)
        try staging?.publish(
            replacing: spec.existing == .replace,
            isDurable: cache != .unsafe
        )
        return storage.length
    }

    /// Fails with `unsupported` for formats whose files are only made anew.
    private static func refuseInPlace(_ spec: TargetSpec) throws(DrayError) {
        guard spec.format == .vmdk else { return }
        throw DrayError(
            .unsupported,
            "vmdk images are not written in place (-n, block devices), only as new files",
            file: spec.path
        )
    }

    /// A number that other content has not, as far as size and time of change of its files tell; none of those that mean something of
    /// their own.
    private static func contentID(of disk: SourceDisk) throws(DrayError) -> UInt32 {
        var text = String(disk.guestSize)
        for identity in try disk.identities() {
            text += " \(identity.size) \(identity.modifiedNanoseconds)"
        }
        let hash = BlockHasher(try DigestAlgorithm(name: "sha256")).hash([UInt8](text.utf8))
        let number = hash.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        return (1..<UInt32.max - 1).contains(number) ? number : 1
    }

    private func checkRoom(_ storage: any Storage) throws(DrayError) {
        guard case .identity = format.placement, storage.length < format.guestSize else { return }
        throw DrayError(
            .invalid,
            "the target holds \(storage.length) bytes and the disk has \(format.guestSize)",
            file: spec.path
        )
    }
}

extension ConvertTarget {
    /// Where the first reservation starts, for allocated targets.
    var firstPayload: HostOffset? {
        guard case .allocated(let rules) = format.placement else { return nil }
        return rules.firstPayload
    }
}
