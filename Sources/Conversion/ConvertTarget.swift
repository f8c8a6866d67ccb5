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
    /// The files beside the target that get their names at the end; nil where the target is written in place.
    let staging: StagingSet?
    /// What keeps late writers out, where several processes write the target.
    let fence: TargetFence?
    /// What is put around the storage.
    let wrap: @Sendable (any Storage) -> any Storage
    private let opened = Mutex<(any Storage)?>(nil)
    private let planned = Mutex<StorageIdentity?>(nil)
    /// The file that a seal could not finish.
    private let unfinished = Mutex<(any Storage)?>(nil)

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
        format = try Self.format(of: spec, guestSize: disk.guestSize)
        let isInPlace = isDevice || spec.existing == .overwrite
        if isInPlace { try Self.refuseInPlace(spec) }
        let others = format.files?.names ?? []
        staging = try isInPlace ? nil : StagingSet(target: spec.path, job: job, others: others)
        fence = isFenced ? staging.map { TargetFence($0.main) } : nil
        if isFenced { try Self.refuseUnfenced(spec, format, isInPlace: isInPlace) }
        let base = try BaseImage.named(by: spec, disk: disk, gate: gate)
        baseSize = base?.guestSize ?? 0
        contents = TargetIdentity(
            content: try Self.contentID(of: disk),
            parent: base?.contentID
        )
        let rules = format.placement.allocation
        classification = SourceClassification(
            granule: rules?.granule ?? 1,
            layersAboveBase: rules == nil ? nil : base?.layersAbove,
            storesZerosBefore: Self.storedZeros(spec, rules, baseSize: baseSize)
        )
    }

    /// Zeros before this guest offset are stored like data: all, those that hide the backing image's content, or none.
    private static func storedZeros(
        _ spec: TargetSpec,
        _ rules: Allocation?,
        baseSize: UInt64
    ) -> UInt64 {
        if spec.sparseSize == 0 || rules?.storedZeros == .all { return .max }
        return rules?.storedZeros == .hiding ? baseSize : 0
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
            return try format.prepare(storage, file: 0)
        }
        if let fence { return try create(staging, inside: fence) }
        try create(staging)
    }

    /// Makes the empty staging files.
    func create(_ staging: StagingSet) throws(DrayError) {
        try staging.create(replacing: spec.existing == .replace, cache: cache) {
            storage,
            index throws(DrayError) in
            try format.prepare(storage, file: index)
        }
    }

    /// The storage that payload goes to, opened when first asked for.
    func storage() throws(DrayError) -> any Storage {
        try opened.withLock { opened throws(DrayError) in
            if let storage = opened { return storage }
            let storage =
                if let staging {
                    try open(staging)
                } else {
                    try StorageOpener.open(spec.path, for: .writing, cache: cache)
                }
            let wrapped = wrap(storage)
            opened = wrapped
            return wrapped
        }
    }

    private func open(_ staging: StagingSet) throws(DrayError) -> any Storage {
        guard let files = format.files else { return try staging.main.open(cache: cache) }
        return try SplitStorage(stride: files.stride) { [cache] index throws(DrayError) in
            try staging.file(index).open(cache: cache)
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
        // The plan's name vouches for it: the target has the staging file's inode.
        if let staging, !staging.exists { return try publishedLength(staging) }
        guard let staging, format.files != nil else {
            let storage = try storage()
            try format.seal(storage, file: 0, placements, contents)
            try publish(staging)
            return storage.length
        }
        let length = try sealFiles(placements, staging)
        try publish(staging)
        return length
    }

    /// Finishes all files, which are opened anew, and returns how long they are together. After a flush that failed it fails for good.
    func sealFiles(
        _ placements: [RangePlacement],
        _ staging: StagingSet
    ) throws(DrayError) -> UInt64 {
        try checkIsPlanned(try staging.main.open(cache: cache))
        // Only this opening knows whether a flush has failed before: a new one would be told nothing of the data that is lost.
        try unfinished.withLock { $0 }?.flush()
        var length: UInt64 = 0
        for index in (0..<staging.count).reversed() {
            let file = staging.file(index)
            guard file.exists else {
                // Without hard links it has its name alone, as all were finished before a seal was cut off.
                let named = try StorageOpener.open(file.target, for: .reading, cache: .writeback)
                length += named.length
                continue
            }
            // Others have written it, so an older opening knows neither its length nor their errors.
            let storage = wrap(try file.open(cache: cache))
            unfinished.withLock { $0 = storage }
            try format.seal(storage, file: index, placements, contents)
            length += storage.length
        }
        unfinished.withLock { $0 = nil }
        return length
    }

    /// Gives the files their names.
    func publish(_ staging: StagingSet?) throws(DrayError) {
        let isReplacing = spec.existing == .replace
        try staging?.publish(replacing: isReplacing, isDurable: cache != .unsafe)
    }

    /// The length of a target that has its name already.
    func publishedLength(_ staging: StagingSet) throws(DrayError) -> UInt64 {
        var length: UInt64 = 0
        for index in 0..<staging.count {
            let path = staging.file(index).target
            let target = try StorageOpener.open(path, for: .reading, cache: .writeback)
            if index == 0 { try checkIsPlanned(target) }
            length += target.length
        }
        // The seal that was cut off may have been so before its names were durable.
        if cache != .unsafe { try staging.main.synchronizeDirectory() }
        try staging.removeLinks()
        return length
    }

    /// Fails with `changed` where `storage` is not the file that the plan was made with.
    private func checkIsPlanned(_ storage: any Storage) throws(DrayError) {
        let (planned, found) = (try identity(), try storage.identity())
        guard planned.inode == found.inode, planned.device == found.device else {
            throw DrayError(.changed, "the target is not what was planned", file: spec.path)
        }
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
    /// Where the first reservation starts, for targets that give places.
    var firstPayload: HostOffset? { format.placement.allocation?.firstPayload }

    /// Whether ranges get their places in guest order; nil where they do not.
    var ordersPayload: Bool? {
        if case .packed = format.placement { true } else { nil }
    }

    /// Where the payload of further files starts, for allocated targets that have them: by the first range of each.
    func furtherPayload(_ ranges: [GuestRange]) -> [PayloadStart]? {
        guard let files = format.files, files.payloadStarts.count > 1 else { return nil }
        var starts: [PayloadStart] = []
        for (index, range) in ranges.enumerated() {
            let file = Int(range.start.bytes / files.share)
            guard file > starts.count, file < files.payloadStarts.count else { continue }
            starts.append(PayloadStart(range: index, place: files.payloadStarts[file]))
        }
        return starts
    }

    /// What the places of packed ranges are multiples of, in bytes: two ranges must not share a unit that O_DIRECT would have to read, change
    /// and write back.
    var placeAlignment: UInt64 {
        guard case .packed(let packing) = format.placement, packing.allowsGaps else { return 1 }
        return spec.cache.isDirect ? Self.directUnit : 1
    }

    /// No device takes less than its unit from O_DIRECT; this is the largest in use, in bytes.
    static let directUnit: UInt64 = 4096
}
