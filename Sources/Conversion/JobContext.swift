// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Digest
internal import DiskImage
internal import Storage

/// A job's opened sources, its target's rules and its plan: made once a worker and shared by the threads that run its ranges.
final class JobContext: Sendable {
    /// The job, as the task names it.
    let job: JobOrder
    /// What is read; of a comparison the first image.
    let disk: SourceDisk
    /// The second image of a comparison.
    let other: SourceDisk?
    /// What is written, for conversions.
    let target: ConvertTarget?
    /// How blocks are hashed, for checksums and for conversions that want it.
    let digest: DigestAlgorithm?
    /// The ranges.
    let plan: Plan
    /// Whether the plan was made without asking file systems for holes.
    let isPlannedBlind: Bool
    /// How many files are open.
    var fileCount: Int {
        let others = target?.format.files?.names.count ?? 0
        return plan.identities.count + (target == nil ? 0 : 1) + min(others, SplitStorage.mostOpen)
    }
    /// Buffers of one chunk.
    let chunks = BufferPool(bufferSize: UnitSize.chunk)
    /// What a range takes while it is worked on.
    let memory: RangeMemory

    /// Opens what `job` names and plans it. Only with `createsTarget` the empty target is made; else it must be there.
    ///
    /// Which ranges there are follows from the holes that file systems tell of within `patience`. Where one is slower the plan is made
    /// as if none had any: what it was asked before must not show, as nobody else would make the same plan. Where opening takes long,
    /// `pulse` is called now and then.
    init(
        _ job: JobOrder,
        files: any JobFiles,
        isFenced: Bool,
        createsTarget: Bool,
        patience: ExtentPatience,
        pulse: Pulse
    ) throws(DrayError) {
        self.job = job
        try Self.validate(job.spec)
        let spec = try files.located(job.spec)
        let gate = try files.gate(for: spec)
        let sector: UInt64 = spec.target.map { $0.format == .raw ? 1 : 512 } ?? 1
        digest = try Self.digest(of: spec)
        let images = try Self.open(spec.sources) { cache in
            ImageOpener(gate: gate, cache: cache, wrap: files.wrap, pulse: pulse)
        }
        let opened = try images.flatMap(\.storages).map { storage throws(DrayError) in
            try storage.identity()
        }
        // Once a job: workers that run ranges need not look again at what the plan has found right.
        if createsTarget {
            for image in images {
                try ManifestCheck(image, chunks: chunks, pulse: pulse).run()
            }
        }
        let isComparison = spec.kind == .compare
        let disk = try SourceDisk(isComparison ? Array(images.prefix(1)) : images, sector: sector)
        let other = isComparison ? try SourceDisk(Array(images.suffix(1))) : nil
        let target = try spec.target.map { wanted throws(DrayError) in
            try ConvertTarget(
                wanted,
                job: job.id,
                disk: disk,
                gate: gate,
                isFenced: isFenced,
                wrap: files.wrap
            )
        }
        try Self.refuseSource(target, disk)
        memory = try Self.memory(of: spec, disk, other, target)
        if createsTarget { try Self.create(target, pulse) }
        let storages = images.flatMap(\.storages)
        for storage in storages { storage.findExtents(with: patience) }
        var plan = try Self.plan(spec, files, disk, other, target)
        let isTooSlow = storages.contains { $0.hasSlowExtents }
        if isTooSlow {
            for storage in storages { storage.findExtents(with: .none) }
            plan = try Self.plan(spec, files, disk, other, target)
        }
        try Self.requireSame(opened, plan.identities)
        isPlannedBlind = isTooSlow || !patience.isAsking
        self.plan = plan
        self.disk = disk
        self.other = other
        self.target = target
    }

    /// Makes the empty target, but not once the step's time is over: whoever would have removed it again may have been here.
    private static func create(_ target: ConvertTarget?, _ pulse: Pulse) throws(DrayError) {
        try pulse.beat()
        try target?.create()
    }

    /// Fails with `refused` where a target that is written in place is one of the files that are read.
    private static func refuseSource(
        _ target: ConvertTarget?,
        _ disk: SourceDisk
    ) throws(DrayError) {
        guard let target, target.staging == nil else { return }
        let mine = try target.identity()
        for source in try disk.identities()
        where source.device == mine.device && source.inode == mine.inode {
            throw DrayError(
                .refused,
                "the target is one of the files that are read",
                file: target.spec.path
            )
        }
    }

    private static func digest(of spec: JobSpec) throws(DrayError) -> DigestAlgorithm? {
        switch spec.kind {
        case .checksum: try DigestAlgorithm(name: spec.digest ?? "sha256")
        case .convert:
            try spec.digest.map { name throws(DrayError) in try DigestAlgorithm(name: name) }
        case .compare: nil
        }
    }

    /// Fails with `invalid` for a range size that the target does not take.
    private static func rangeSize(
        of spec: JobSpec,
        _ guestSize: UInt64,
        _ target: ConvertTarget?
    ) throws(DrayError) -> UInt64 {
        guard case .packed(let packing) = target?.format.placement else {
            if let size = spec.rangeSize { return size }
            return spec.target == nil
                ? RangePlanner.readingRangeSize(guestSize: guestSize)
                : RangePlanner.defaultRangeSize(guestSize: guestSize)
        }
        let size = spec.rangeSize ?? RangePlanner.packedRangeSize(guestSize: guestSize, packing)
        // What follows a range's clusters is made for one unit.
        let isExact = packing.trailerLength > 0
        guard isExact ? size == packing.rangeUnit : size % packing.rangeUnit == 0 else {
            let need = isExact ? "" : "a multiple of "
            throw DrayError(
                .invalid,
                "the range size \(size) is not \(need)\(packing.rangeUnit), as this target needs it"
            )
        }
        return size
    }

    /// Fails with `invalid` where the job wants ranges for which the process has no room.
    private static func memory(
        of spec: JobSpec,
        _ disk: SourceDisk,
        _ other: SourceDisk?,
        _ target: ConvertTarget?
    ) throws(DrayError) -> RangeMemory {
        let guestSize = max(disk.guestSize, other?.guestSize ?? 0)
        // Long ranges hold no content, so no buffer is ever asked for them.
        let size = try rangeSize(of: spec, guestSize, target)
        let memory = RangeMemory(disk, other, target?.format.placement, rangeSize: size)
        let rest = MemoryBudget.process.limit - disk.sharedMemory
        guard spec.rangeSize == nil || memory.bytes <= rest else {
            throw DrayError(
                .invalid,
                "ranges of \(size) bytes take \(memory.bytes) bytes of memory, and decoding the source leaves \(rest); choose smaller ones"
            )
        }
        return memory
    }

    private static func plan(
        _ spec: JobSpec,
        _ names: any JobFiles,
        _ disk: SourceDisk,
        _ other: SourceDisk?,
        _ target: ConvertTarget?
    ) throws(DrayError) -> Plan {
        let guestSize = max(disk.guestSize, other?.guestSize ?? 0)
        let planner = RangePlanner(
            rangeSize: try rangeSize(of: spec, guestSize, target),
            joinsEmpty: target?.writesEmptyRanges != true,
            cut: target?.format.files?.share
        )
        var identities = try disk.identities()
        let readsDeferred = target != nil && spec.digest != nil
        var walks = [walk(disk, target?.classification ?? .states, readsDeferred: readsDeferred)]
        if let other {
            identities += try other.identities()
            walks.append(walk(other, .states))
        }
        let ranges = try planner.divide(guestSize: guestSize, walks)
        return try Plan(
            spec,
            names: names,
            guestSize: guestSize,
            ranges: ranges,
            identities: identities,
            target: target.map { target throws(DrayError) in
                (target.format.placement, try target.identity())
            }
        )
    }

    /// Fails with `changed` where a source is no longer what it was when the plan was made.
    func checkSources() throws(DrayError) {
        var now = try disk.identities()
        if let other { now += try other.identities() }
        try Self.requireSame(plan.identities, now)
    }

    private static func requireSame(
        _ known: [StorageIdentity],
        _ now: [StorageIdentity]
    ) throws(DrayError) {
        for (planned, found) in zip(known, now) where planned != found {
            throw DrayError(
                .changed,
                "the source changed while it was read; run the job again when nothing writes to it",
                file: planned.name
            )
        }
    }

    /// Checks what the request's type does not: it may come from a stranger.
    private static func validate(_ spec: JobSpec) throws(DrayError) {
        let isComplete =
            switch spec.kind {
            case .convert: !spec.sources.isEmpty && spec.target != nil
            case .checksum: spec.sources.count == 1 && spec.target == nil
            case .compare: spec.sources.count == 2 && spec.target == nil
            }
        guard isComplete else {
            throw DrayError(
                .invalid,
                "a \(spec.kind.rawValue) job with these sources and this target makes no sense"
            )
        }
        if let size = spec.rangeSize,
            size == 0 || size % RangePlanner.unit != 0 || size > RangePlanner.largestRange
        {
            throw DrayError(
                .invalid,
                "the range size \(size) is not a multiple of 4 MiB up to 128 MiB"
            )
        }
    }

    private static func open(
        _ sources: [SourceSpec],
        _ opener: (CacheMode) -> ImageOpener
    ) throws(DrayError) -> [Image] {
        var images: [Image] = []
        for source in sources {
            images.append(
                try opener(source.cache).open(
                    path: source.path,
                    format: source.format,
                    snapshot: source.snapshot,
                    member: source.member
                )
            )
        }
        return images
    }

    /// Reports what must be read. With `readsDeferred`, also the data that the target's backing image has: it is hashed.
    private static func walk(
        _ disk: SourceDisk,
        _ classification: SourceClassification,
        readsDeferred: Bool = false
    ) -> RangePlanner.Walk {
        { emit throws(DrayError) in
            var position: UInt64 = 0
            let whole = GuestRange(GuestOffset(0), length: disk.guestSize)
            try classification.forEachRun(of: whole, on: disk) { run throws(DrayError) in
                let end = min(position + run.count * classification.granule, disk.guestSize)
                let range = GuestRange(GuestOffset(position), length: end - position)
                switch run.kind {
                case .content: emit(range)
                case .deferred where readsDeferred:
                    try disk.forEachExtent(in: range) { run throws(DrayError) in
                        if run.state == .data { emit(run.range) }
                    }
                case .deferred, .zero: break
                }
                position = end
            }
        }
    }
}
