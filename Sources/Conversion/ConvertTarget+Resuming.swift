// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage
internal import Storage

extension ConvertTarget {
    /// Fails with `changed` where the staging file of a job that was cut off is gone, or has another length than the steps
    /// left that were done: it was cut or extended since. Only the plan's hash can tell another file from it.
    static func checkStaging(
        of job: JobOrder,
        _ plan: PlanResult,
        _ results: [RangeResult]
    ) throws(DrayError) {
        let guestSize = plan.guestSize
        guard let wanted = job.spec.target, !StorageOpener.isBlockDevice(wanted.path) else {
            return
        }
        let spec = try filling(wanted, guestSize: guestSize)
        guard spec.existing != .overwrite else { return }
        let format = try format(of: spec, guestSize: guestSize)
        let others = format.files?.names ?? []
        let staging = try StagingSet(target: spec.path, job: job.id, others: others)
        let isComplete = Set(results.map(\.range)).count == plan.rangeCount
        guard staging.exists else {
            // With all ranges done it may have its name by now. Else a new one must not pass for it, which may get its inode's number.
            guard !results.isEmpty, !isComplete else { return }
            throw DrayError(
                .changed,
                "the unfinished file is gone; remove the journal to begin afresh",
                file: staging.main.path
            )
        }
        let written = try written(format, sparseSize: spec.sparseSize, results)
        for index in 0..<staging.count {
            let (file, least) = (staging.file(index), written[index] ?? 0)
            // A seal that was cut off where there are no hard links has moved it.
            let moved = isComplete && index > 0 ? file.targetLength : nil
            let length = file.length ?? moved ?? 0
            // A raw file has its length from the start; a finished qcow2 file that only lacks its name has tables behind the payload.
            guard length < least || spec.format == .raw && length > least else { continue }
            throw DrayError(
                .changed,
                "the unfinished file has \(length) bytes and was left with \(least);"
                    + " remove it and the journal to begin afresh",
                file: file.path
            )
        }
    }

    /// The format of the target that `spec` describes. Fails with `invalid` or `unsupported`.
    static func format(
        of spec: TargetSpec,
        guestSize: UInt64
    ) throws(DrayError) -> any TargetFormat {
        try TargetFormats.make(
            spec.format,
            guestSize: guestSize,
            options: spec.options,
            name: spec.path,
            sparseSize: spec.sparseSize,
            compression: spec.compression
        )
    }

    /// Where each file of a target ends at least after what was written to it, by its index.
    private static func written(
        _ format: any TargetFormat,
        sparseSize: UInt64,
        _ results: [RangeResult]
    ) throws(DrayError) -> [Int: UInt64] {
        switch format.placement {
        case .identity(let start):
            guard let files = format.files else { return [0: start.bytes + format.guestSize] }
            let shares = files.names.indices.map { index in
                let before = UInt64(index) * files.share
                return (index + 1, min(files.share, format.guestSize - before))
            }
            return Dictionary(uniqueKeysWithValues: shares)
        case .allocated(let rules):
            // Zeros at the end of a granule may have been left out, and all of one that stands for zeros.
            guard sparseSize == 0 || rules.storedZeros == .none else { return [:] }
            let unwritten = sparseSize == 0 ? 0 : rules.granule - 1
            return allocatedEnds(rules, stride: format.files?.stride ?? .max, unwritten, results)
        case .packed(let packing): return [0: packedEnd(packing, results)]
        }
    }

    /// The same for an allocated target, of whose last granules up to `unwritten` bytes may be missing.
    private static func allocatedEnds(
        _ rules: Allocation,
        stride: UInt64,
        _ unwritten: UInt64,
        _ results: [RangeResult]
    ) -> [Int: UInt64] {
        var ends: [Int: UInt64] = [:]
        for placement in results.compactMap(\.placement) {
            var states = GranuleStates()
            for run in placement.runs { states.append(run.state, UInt64(clamping: run.count)) }
            let pieces = states.placement(granule: rules.granule, cluster: rules.clusterSize).pieces
            guard let last = pieces.last, let reservation = placement.reservation else { continue }
            let end = reservation.bytes + last.host + UInt64(last.bytes.count) - unwritten
            let file = Int((end - 1) / stride)
            ends[file] = max(ends[file] ?? 0, (end - 1) % stride + 1)
        }
        return ends
    }

    /// The same for a packed target.
    private static func packedEnd(_ packing: Packing, _ results: [RangeResult]) -> UInt64 {
        var end: UInt64 = 0
        for placement in results.compactMap(\.placement) {
            guard let start = placement.reservation, let stored = placement.stored else { continue }
            let layout = PackedLayout(stored, packing.rules, from: start.bytes)
            end = max(end, layout.payloadEnd + UInt64(packing.trailerLength))
        }
        return end
    }
}
