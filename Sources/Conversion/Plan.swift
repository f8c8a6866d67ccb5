// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Digest
internal import DiskImage
internal import Storage

/// What a deterministic function makes of a job, its source's map and its target: the ranges, and the hash that names them.
struct Plan: Sendable {
    /// The format of this description: part of the hash, so that workers of different versions never mix plans.
    static let version = "dray plan 2"

    /// The ranges, in guest order.
    let ranges: [GuestRange]
    /// How many bytes the ranges will read.
    let dataBytes: UInt64
    /// The disk's size in bytes.
    let guestSize: UInt64
    /// The sources' content when the plan was made.
    let identities: [StorageIdentity]
    /// The plan's name: SHA-256 in hexadecimal over job, sources, target and ranges.
    let hash: String

    /// Names the plan of `job` with these ranges, and for conversions this target. `names` gives the files the names that they have
    /// on every machine. Device numbers are left out: machines differ in them, and paths tell apart what they do.
    init(
        _ job: JobSpec,
        names: any JobFiles,
        guestSize: UInt64,
        ranges: RangePlanner.Ranges,
        identities: [StorageIdentity],
        target: (placement: Placement, identity: StorageIdentity)?
    ) throws(DrayError) {
        self.ranges = ranges.ranges
        dataBytes = ranges.dataBytes
        self.guestSize = guestSize
        self.identities = identities
        var text = PlanText()
        text.add(Self.version, job.kind.rawValue, String(guestSize), job.digest ?? "")
        for source in job.sources {
            text.add(
                names.name(of: source.path),
                source.format?.rawValue ?? "",
                source.snapshot?.description ?? "",
                source.member ?? ""
            )
        }
        for identity in identities { text.add(identity, names) }
        if let spec = job.target, let target {
            text.add(spec, names, target.placement, target.identity)
        }
        for range in ranges.ranges { text.add(String(range.length)) }
        hash = try text.hash()
    }
}

/// Text in which no two different lists of fields look alike: each field follows its length.
private struct PlanText {
    private var bytes: [UInt8] = []

    mutating func add(_ fields: String...) {
        for field in fields { bytes += "\(field.utf8.count):\(field),".utf8 }
    }

    mutating func add(_ identity: StorageIdentity, _ names: any JobFiles) {
        add(names.name(of: identity.name), String(identity.size))
        add(String(identity.modifiedNanoseconds), String(identity.inode))
    }

    /// The target's inode is part of the plan: it tells a target that was published already from a stranger's file
    /// under its name.
    mutating func add(
        _ target: TargetSpec,
        _ names: any JobFiles,
        _ placement: Placement,
        _ identity: StorageIdentity
    ) {
        add(String(identity.inode))
        add(
            names.name(of: target.path),
            target.format.rawValue,
            target.existing.rawValue,
            String(target.sparseSize)
        )
        for option in target.options { add(option.key, option.value) }
        switch placement {
        case .identity(let start): add("identity", String(start.bytes))
        case .allocated(let rules):
            add(
                "allocated",
                String(rules.firstPayload.bytes),
                String(rules.clusterSize),
                String(rules.granule)
            )
        case .packed(let packing):
            add(
                "packed",
                String(packing.rules.firstPayload.bytes),
                String(packing.rules.clusterSize),
                packing.encoding
            )
        }
    }

    func hash() throws(DrayError) -> String {
        BlockHasher(try DigestAlgorithm(name: "sha256")).hash(bytes).hexadecimal
    }
}
