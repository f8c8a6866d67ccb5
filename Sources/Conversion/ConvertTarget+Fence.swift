// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage
internal import Storage

/// A target that workers of several processes write. Its lock file exists from before the staging file does until after the target
/// has its name, or the staging file is gone.
extension ConvertTarget {
    /// Makes lock file and empty staging file. Doing it again changes nothing; a plan that comes late, when the target has its name
    /// already, brings neither back.
    func create(_ staging: StagingSet, inside fence: TargetFence) throws(DrayError) {
        if let lock = try fence.open() {
            switch try lock.state() {
            case .discarded: throw late()
            // Its seal was cut off: with the staging file or, if that has its name, without.
            case .sealed: return
            case .open: return try create(staging)
            }
        }
        // Before the lock file: where the target is there already, nothing is made.
        try staging.checkTarget(replacing: spec.existing == .replace)
        let isOurs = try fence.create(isDurable: cache != .unsafe)
        do throws(DrayError) {
            try create(staging)
        } catch {
            // Whoever made it in the meantime needs it; what we made nobody does, or another plan makes it again.
            if isOurs, !staging.exists { try fence.remove() }
            throw error
        }
    }

    /// The storage for one attempt at one range: closed to it once the target is sealed or discarded.
    func storageForRange() throws(DrayError) -> any Storage {
        let storage = try storage()
        guard let fence else { return storage }
        guard let lock = try fence.open() else {
            throw DrayError(.resource, "the job's lock file is not there", file: spec.path)
        }
        return FencedStorage(storage, lock)
    }

    /// Closes the target, waits until nobody writes it any more, writes the tables and gives it its name. A seal that was cut off
    /// anywhere is done again from there.
    func seal(
        _ placements: [RangePlacement],
        _ staging: StagingSet,
        inside fence: TargetFence,
        _ control: any TaskControl
    ) throws(DrayError) -> UInt64 {
        guard let lock = try fence.open(canClose: true), try lock.hasName() else {
            return try namedLength(staging)
        }
        if try lock.state() == .discarded { throw late() }
        try lock.mark(.sealed, isDurable: cache != .unsafe)
        _ = try lock.lockExclusive(atMost: nil) { control.isCancelled }
        // While we waited, another seal may have done it all.
        guard try lock.hasName() else { return try namedLength(staging) }
        let length =
            try staging.exists
            ? publish(placements, staging, lock) : namedLength(staging)
        try fence.remove()
        return length
    }

    private func publish(
        _ placements: [RangePlacement],
        _ staging: StagingSet,
        _ lock: FenceLock
    ) throws(DrayError) -> UInt64 {
        let length = try sealFiles(placements, staging)
        // A discard does not wait for ever: from here it finds no file, or we find its mark.
        guard try lock.state() == .sealed else { throw late() }
        try publish(staging)
        return length
    }

    /// The length of the target that has its name already.
    private func namedLength(_ staging: StagingSet) throws(DrayError) -> UInt64 {
        guard !staging.exists else {
            throw DrayError(.resource, "the job's lock file is not there", file: spec.path)
        }
        return try publishedLength(staging)
    }

    private func late() -> DrayError {
        DrayError(.refused, "too late: the job's target is discarded already", file: spec.path)
    }

    /// Fails with `unsupported` for what cannot be fenced: targets that are written in place, and O_DIRECT with stretches
    /// smaller than its unit.
    static func refuseUnfenced(
        _ spec: TargetSpec,
        _ format: any TargetFormat,
        isInPlace: Bool
    ) throws(DrayError) {
        guard !isInPlace else {
            throw DrayError(
                .unsupported,
                "a fleet does not write in place (-n, block devices): a new file can take the old one's name (--force)",
                file: spec.path
            )
        }
        guard spec.cache.isDirect else { return }
        // A unit that is read, changed and written back could undo what another worker wrote to it.
        let unit = directUnit
        let isWhole =
            switch format.placement {
            case .identity(let start): start.bytes % unit == 0
            case .allocated(let rules): rules.granule % unit == 0
            // Their places are aligned.
            case .packed(let packing): packing.allowsGaps
            }
        guard !isWhole else { return }
        throw DrayError(
            .unsupported,
            "with the cache modes 'none' and 'directsync' a fleet needs clusters and subclusters of 4096 bytes or more, and writes no streams",
            file: spec.path
        )
    }
}
