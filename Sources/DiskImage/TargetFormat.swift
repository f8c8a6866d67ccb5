// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
package import Storage

/// Writes one image format. A value of this type is made from the options and the guest size alone, so that every
/// worker makes the same one: it is the part of the plan that concerns the target.
///
/// The order of calls: ``prepare(_:file:)`` once on the empty target; payload is written by the data plane as ``placement``
/// says; ``seal(_:file:_:_:)`` once at the end.
package protocol TargetFormat: Sendable {
    /// The format's name.
    var format: ImageFormat { get }
    /// The size of the virtual disk in bytes.
    var guestSize: UInt64 { get }
    /// Where payload goes.
    var placement: Placement { get }

    /// Whether ``prepare(_:file:)`` reserves space that the finished image must still have: no one may then punch holes for zeros.
    var keepsSpace: Bool { get }

    /// The files beside the one that the user named; nil where that is all.
    var files: TargetFiles? { get }

    /// Makes an empty file of the target ready for payload: its length, preallocation. Writes nothing that a tool would take for an
    /// image. File 0 is the one that the user named.
    func prepare(_ storage: any Storage, file: Int) throws(DrayError)

    /// Finishes a file: writes its tables, flushes, then writes its header and flushes again. `ranges` is what was placed,
    /// in guest order, covering the whole disk (empty for identity placement). The file that the user named comes last. Doing it
    /// again writes the same.
    func seal(
        _ storage: any Storage,
        file: Int,
        _ ranges: [RangePlacement],
        _ identity: TargetIdentity
    ) throws(DrayError)

    /// An encoder of clusters, for packed placement.
    func makeEncoder() -> any ClusterEncoder

    /// What follows the clusters of a range, for packed placement: as many bytes as ``Packing/trailerLength`` says. Called for ranges that
    /// have a reservation.
    func trailer(_ placement: RangePlacement) -> [UInt8]
}

extension TargetFormat {
    package var files: TargetFiles? { nil }

    package func makeEncoder() -> any ClusterEncoder {
        preconditionFailure("only packed targets encode clusters")
    }

    package func trailer(_ placement: RangePlacement) -> [UInt8] { [] }

    /// Prepares a target of one file.
    package func prepare(_ storage: any Storage) throws(DrayError) {
        try prepare(storage, file: 0)
    }

    /// Seals a target of one file that nothing has to tell from others.
    package func seal(_ storage: any Storage, _ ranges: [RangePlacement]) throws(DrayError) {
        try seal(storage, file: 0, ranges, TargetIdentity())
    }
}

/// The files that a target has beside the one that the user named. A payload's place counts in all of them as if they were one.
package struct TargetFiles: Sendable, Hashable {
    /// Their names, in the directory of the named one.
    package let names: [String]
    /// What lies between the starts of two files in that count, in bytes. The named file is at 0.
    package let stride: UInt64
    /// How many bytes of the disk each file has; the last may have fewer. No range crosses from one to the next.
    package let share: UInt64
    /// Where the first reservation in each starts, in that count; empty where nothing is allocated.
    package let payloadStarts: [HostOffset]

    /// Names files.
    package init(
        names: [String],
        stride: UInt64,
        share: UInt64,
        payloadStarts: [HostOffset] = []
    ) {
        self.names = names
        self.stride = stride
        self.share = share
        self.payloadStarts = payloadStarts
    }
}

/// What tells a new image from others, in formats that store such a thing.
package struct TargetIdentity: Sendable, Hashable {
    /// Names the content: another source, or one that was written since, has another.
    package var content: UInt32
    /// The content of the backing image, where the new one has a backing image whose format stores that.
    package var parent: UInt32?

    /// Names an image.
    package init(content: UInt32 = 1, parent: UInt32? = nil) {
        self.content = content
        self.parent = parent
    }
}

/// Where a target's payload goes.
package enum Placement: Sendable, Hashable {
    /// At the guest offset plus `start`: nothing is allocated (raw, preallocated qcow2).
    case identity(start: HostOffset)
    /// Non-zero clusters of a range go, in guest order, to one contiguous reservation.
    case allocated(Allocation)
    /// Non-zero clusters of a range are encoded, and go to one contiguous reservation; those are in guest order.
    case packed(Packing)

    /// The rules for a target that gives places; nil where payload stands at the guest offset.
    package var allocation: Allocation? {
        switch self {
        case .identity: nil
        case .allocated(let rules): rules
        case .packed(let packing): packing.rules
        }
    }
}

/// The rules of an allocated target.
package struct Allocation: Sendable, Hashable {
    /// Zeros that are written as data.
    package enum StoredZeros: Sendable, Hashable {
        /// None: they stay unallocated, or are marked.
        case none
        /// Those that hide a backing image's data, because the format has no mark for them (qcow2 version 2).
        case hiding
        /// All, because the user wants every cluster written.
        case all
    }

    /// Where the first reservation starts.
    package let firstPayload: HostOffset
    /// The allocation unit, in bytes.
    package let clusterSize: UInt64
    /// The unit in which a range's map is kept, in bytes: the cluster, or a part of it (qcow2 subclusters).
    package let granule: UInt64
    /// Whether stretches that read as zeros must be marked (they hide a backing image's data) or may stay unallocated.
    /// Beyond the backing image's end there is nothing to hide: whole clusters there may stay unallocated all the same.
    package let marksZeros: Bool
    /// Which zeros are written as data.
    package let storedZeros: StoredZeros
    /// What the format's tables can name ends here: payload beyond it is `unsupported`.
    package let payloadLimit: HostOffset
    /// How many compressed clusters may have a part in one cluster of the file: what its reference count can say.
    package let mostShared: UInt64

    /// Names the rules.
    package init(
        firstPayload: HostOffset,
        clusterSize: UInt64,
        granule: UInt64,
        marksZeros: Bool,
        storedZeros: StoredZeros = .none,
        payloadLimit: HostOffset = HostOffset(UInt64(Int64.max)),
        mostShared: UInt64 = .max
    ) {
        self.firstPayload = firstPayload
        self.clusterSize = clusterSize
        self.granule = granule
        self.marksZeros = marksZeros
        self.storedZeros = storedZeros
        self.payloadLimit = payloadLimit
        self.mostShared = mostShared
    }
}

/// What a range put where: the input of the tables.
package struct RangePlacement: Sendable, Hashable, Codable {
    /// A run of granules of one state.
    package struct Run: Sendable, Hashable, Codable {
        /// What the granules are.
        package let state: State
        /// How many there are.
        package let count: Int

        /// Names a run.
        package init(_ state: State, _ count: Int) {
            self.state = state
            self.count = count
        }
    }

    /// The state of a granule in the target.
    package enum State: Int, Sendable, Hashable, Codable {
        /// Not allocated: the backing image shows through, or zeros without one.
        case hole
        /// Reads as zeros by metadata.
        case zero
        /// Written.
        case data
    }

    /// The guest bytes that the range covers.
    package let range: GuestRange
    /// Where its reservation starts; nil where it needed none. A cluster with at least one data granule takes
    /// the reservation's next cluster.
    package let reservation: HostOffset?
    /// The states of its granules, in order; the last granule may reach beyond the disk's end.
    package let runs: [Run]
    /// The lengths of its data clusters, for packed targets: see ``PackedLayout`` for where they lie.
    package let stored: StoredLengths?

    /// Names a placement.
    package init(
        range: GuestRange,
        reservation: HostOffset?,
        runs: [Run],
        stored: StoredLengths? = nil
    ) {
        self.range = range
        self.reservation = reservation
        self.runs = runs
        self.stored = stored
    }
}

/// A creation option of a format: `-o key=value`.
package struct FormatOption: Sendable, Hashable, Codable {
    /// The key, as the user gave it.
    package let key: String
    /// The value, as the user gave it.
    package let value: String

    /// Names an option.
    package init(_ key: String, _ value: String) {
        self.key = key
        self.value = value
    }
}
