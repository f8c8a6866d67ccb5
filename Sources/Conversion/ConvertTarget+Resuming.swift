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
        let staging = try StagingFile(target: spec.path, job: job.id)
        guard let length = staging.length else {
            // With all ranges done it may have its name by now. Else a new one must not pass for it, which may get its inode's number.
            guard !results.isEmpty, Set(results.map(\.range)).count < plan.rangeCount else {
                return
            }
            throw DrayError(
                .changed,
                "the unfinished file is gone; remove the journal to begin afresh",
                file: staging.path
            )
        }
        let format = try TargetFormats.make(
            spec.format,
            guestSize: guestSize,
            options: spec.options,
            name: spec.path,
            sparseSize: spec.sparseSize
        )
        let least = try written(format, results)
        // A raw file has its length from the start; a finished qcow2 file that only lacks its name has tables behind the payload.
        guard length < least || spec.format == .raw && length > least else { return }
        throw DrayError(
            .changed,
            "the unfinished file has \(length) bytes and was left with \(least);"
                + " remove it and the journal to begin afresh",
            file: staging.path
        )
    }

    /// The end of what was written to a target.
    private static func written(
        _ format: any TargetFormat,
        _ results: [RangeResult]
    ) throws(DrayError) -> UInt64 {
        let rules: Allocation
        switch format.placement {
        case .identity(let start): return start.bytes + format.guestSize
        case .allocated(let allocation): rules = allocation
        }
        var end: UInt64 = 0
        for placement in results.compactMap(\.placement) {
            var states = GranuleStates()
            for run in placement.runs { states.append(run.state, UInt64(clamping: run.count)) }
            let pieces = states.placement(granule: rules.granule, cluster: rules.clusterSize).pieces
            guard let last = pieces.last, let reservation = placement.reservation else { continue }
            end = max(end, reservation.bytes + last.host + UInt64(last.bytes.count))
        }
        return end
    }
}
