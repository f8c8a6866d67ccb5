// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
internal import Digest
package import DiskImage
internal import Glibc
package import Storage
internal import Synchronization

/// Runs the steps of jobs on this machine's files. It keeps the contexts of a few jobs and nothing else.
package final class LocalRunner: JobRunner {
    /// How many jobs' contexts are kept.
    static let mostContexts = 32
    /// How many files those may have open in all; the job that is worked on may have more.
    static let mostFiles = 256

    /// Whether a thread makes a job's context.
    private final class Making: Sendable {
        let isTaken = Monitor(false)

        /// Waits for its turn. This may be long.
        func begin(_ pulse: Pulse) throws(DrayError) {
            while true {
                let isMine = isTaken.wait(milliseconds: 500) { isTaken -> Bool? in
                    guard !isTaken else { return nil }
                    isTaken = true
                    return true
                }
                if isMine != nil { return }
                try pulse.beat()
            }
        }

        func end() {
            isTaken.withLock { $0 = false }
            isTaken.wake()
        }
    }

    private let files: any JobFiles
    private let isFenced: Bool
    private let patience: ExtentPatience
    private let making = Mutex<[String: Making]>([:])
    private let contexts = Mutex<[JobContext]>([])

    /// A runner whose images may name what `gate` allows. With `isFenced`, targets are written inside a ``TargetFence``: needed where
    /// several processes run the ranges of a job. File systems are asked for holes with `patience`; plans that were made with more
    /// or less are run all the same. Around each storage goes what `wrap` makes: nothing, but in tests.
    package convenience init(
        gate: any ReferenceGate,
        isFenced: Bool = false,
        patience: ExtentPatience = .short,
        wrap: @escaping @Sendable (any Storage) -> any Storage = { $0 }
    ) {
        let files = LocalFiles(gate: gate, wrapping: wrap)
        self.init(files: files, isFenced: isFenced, patience: patience)
    }

    init(files: any JobFiles, isFenced: Bool, patience: ExtentPatience = .short) {
        self.files = files
        self.isFenced = isFenced
        self.patience = patience
    }

    package func plan(_ job: JobOrder, _ control: any TaskControl) throws(DrayError) -> PlanResult {
        // Who plans a job again does as the first time, with file systems' holes or without.
        let known = recall(job)
        let patience = known.map { $0.isPlannedBlind ? ExtentPatience.none : .long }
        let context = try makeContext(
            job,
            createsTarget: true,
            patience: patience,
            control.pulse
        )
        keep(context)
        var plan = PlanResult(
            planHash: context.plan.hash,
            rangeCount: context.plan.ranges.count,
            guestSize: context.plan.guestSize,
            dataBytes: context.plan.dataBytes,
            firstPayload: context.target?.firstPayload,
            furtherPayload: context.target?.furtherPayload(context.plan.ranges),
            needsSeal: context.target != nil
        )
        plan.ordersPayload = context.target?.ordersPayload
        return plan
    }

    package func check(
        _ job: JobOrder,
        plan: PlanResult,
        results: [RangeResult],
        _ control: any TaskControl
    ) throws(DrayError) {
        try ConvertTarget.checkStaging(of: job, plan, results)
        do throws(DrayError) {
            _ = try context(job, plan.planHash, control.pulse)
        } catch {
            // The job's next step meets the same, and ends the job as it should.
        }
    }

    package func confirm(
        _ job: JobOrder,
        plan: PlanResult,
        end: Int64?,
        _ control: any TaskControl
    ) throws(DrayError) {
        let target = job.spec.target?.path
        let others = DrayError(
            .changed,
            "the journal's job is done, and its source or target is gone or another since;"
                + " remove the journal to begin afresh",
            file: target
        )
        do throws(DrayError) {
            _ = try context(job, plan.planHash, control.pulse)
        } catch  where error.kind == .changed || error.errno == ENOENT { throw others }
        if let target, let end, FileBirth.isLater(than: end, target) { throw others }
    }

    package func run(
        _ job: JobOrder,
        planHash: String,
        index: Int,
        _ control: any TaskControl
    ) throws(DrayError) -> RangeResult {
        let context = try context(job, planHash, control.pulse)
        guard context.plan.ranges.indices.contains(index) else {
            throw DrayError(
                .invalid,
                "range \(index) is not one of the plan's \(context.plan.ranges.count)"
            )
        }
        try context.checkSources()
        let result = try RangeTask(
            context: context,
            range: context.plan.ranges[index],
            control: control
        ).run()
        try context.checkSources()
        return result
    }

    package func seal(
        _ job: JobOrder,
        planHash: String,
        results: [RangeResult],
        _ control: any TaskControl
    ) throws(DrayError) -> SealResult {
        let context = try context(job, planHash, control.pulse)
        guard results.map(\.range) == context.plan.ranges else {
            throw DrayError(.bug, "the results are not those of the plan's ranges")
        }
        guard let target = context.target else {
            throw DrayError(.bug, "a job without a target has nothing to seal")
        }
        try context.checkSources()
        let length = try target.seal(results.compactMap(\.placement), control)
        forget(job)
        return SealResult(targetLength: length)
    }

    package func discard(_ job: JobOrder) throws(DrayError) {
        forget(job)
        guard let spec = job.spec.target else { return }
        let staging = try StagingFile(target: try files.locatedTarget(spec.path), job: job.id)
        guard isFenced else { return try Self.remove(staging, spec) }
        try TargetFence(staging).discard { () throws(DrayError) in
            try Self.remove(staging, spec)
        }
    }

    /// Removes the staging files, unless they are to be kept, and names that some of several files have already.
    private static func remove(_ staging: StagingFile, _ spec: TargetSpec) throws(DrayError) {
        if TargetFormats.hasSeveralFiles(spec.format, spec.options) {
            try StagingSet.discard(staging, keepsFiles: spec.keepsPartial) { number in
                TargetFormats.fileName(number, in: spec.format, spec.options, name: spec.path)
            }
        } else if !spec.keepsPartial {
            try staging.remove()
        }
    }

    private func makeContext(
        _ job: JobOrder,
        createsTarget: Bool,
        patience: ExtentPatience?,
        _ pulse: Pulse
    ) throws(DrayError) -> JobContext {
        try JobContext(
            job,
            files: files,
            isFenced: isFenced,
            createsTarget: createsTarget,
            patience: patience ?? self.patience,
            pulse: pulse
        )
    }

    /// The job's context, from the kept ones or made again. Fails with `changed` where today's plan is another.
    private func context(
        _ job: JobOrder,
        _ planHash: String,
        _ pulse: Pulse
    ) throws(DrayError) -> JobContext {
        let mine = making.withLock { making in
            let mine = making[job.id] ?? Making()
            making[job.id] = mine
            return mine
        }
        // One thread makes it; the others of this worker that run ranges of the same job wait for it.
        try mine.begin(pulse)
        defer {
            mine.end()
            making.withLock { $0[job.id] = nil }
        }
        return try make(job, planHash, pulse)
    }

    private func make(
        _ job: JobOrder,
        _ planHash: String,
        _ pulse: Pulse
    ) throws(DrayError) -> JobContext {
        let kept = recall(job)
        var context =
            if let kept { kept } else {
                try makeContext(job, createsTarget: false, patience: nil, pulse)
            }
        if context.plan.hash != planHash {
            // A file system may have been quicker to tell its holes when the plan was made, or slower.
            let patience = context.isPlannedBlind ? ExtentPatience.long : .none
            context = try makeContext(job, createsTarget: false, patience: patience, pulse)
        }
        guard context.plan.hash == planHash else {
            throw DrayError(
                .changed,
                "the source or the request is not what was planned",
                file: job.spec.sources.first?.path
            )
        }
        if kept !== context { keep(context) }
        return context
    }

    private func keep(_ context: JobContext) {
        contexts.withLock { contexts in
            contexts.removeAll { $0.job.id == context.job.id }
            contexts.append(context)
            var files = contexts.reduce(0) { $0 + $1.fileCount }
            while contexts.count > Self.mostContexts
                || (contexts.count > 1 && files > Self.mostFiles)
            {
                files -= contexts.removeFirst().fileCount
            }
        }
    }

    /// The job's context, if it is kept. The one that was asked for least recently is given up first.
    private func recall(_ job: JobOrder) -> JobContext? {
        contexts.withLock { contexts in
            guard let index = contexts.lastIndex(where: { $0.job == job }) else { return nil }
            let context = contexts.remove(at: index)
            contexts.append(context)
            return context
        }
    }

    private func forget(_ job: JobOrder) {
        contexts.withLock { $0.removeAll { $0.job.id == job.id } }
    }
}
