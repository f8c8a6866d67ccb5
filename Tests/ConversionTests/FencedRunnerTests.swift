// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Conversion
internal import DiskImage
internal import Storage
internal import Synchronization
internal import TestSupport
internal import Testing

/// A target that several processes may write.
struct FencedKind: Sendable, CustomTestStringConvertible {
    let format: ImageFormat
    var subformat: String?
    /// What else has a name when the target has.
    var others: [String] = []

    var testDescription: String { subformat ?? format.rawValue }

    static let qcow2 = FencedKind(format: .qcow2)
    static let flat = FencedKind(
        format: .vmdk,
        subformat: "monolithicFlat",
        others: ["target-flat"]
    )
    static let all = [
        FencedKind(format: .raw), qcow2, FencedKind(format: .vmdk), flat,
        FencedKind(format: .vmdk, subformat: "twoGbMaxExtentSparse", others: ["target-s001"]),
        FencedKind(format: .vmdk, subformat: "twoGbMaxExtentFlat", others: ["target-f001"]),
        FencedKind(format: .vmdk, subformat: "streamOptimized"),
    ]
}

/// A job of several ranges that workers of several processes might run: each runner here is one.
private struct FencedJob {
    let directory: TemporaryDirectory
    let order: JobOrder
    let runner = LocalRunner(gate: DirectoryGate(), isFenced: true)
    let plan: PlanResult
    let control: TestControl
    let staging: StagingFile
    let kind: FencedKind

    init(_ kind: FencedKind, existing: TargetSpec.Existing = .refuse) throws {
        self.kind = kind
        directory = try TemporaryDirectory()
        var generator = SeededGenerator(for: "fence")
        let disk = ImageDescription.random(using: &generator, largestSize: 40 << 20)
        try disk.writeRaw(to: directory.file("source"))
        let source = SourceSpec(path: directory.file("source"), format: .raw)
        var spec = JobSpec(kind: .convert, sources: [source])
        // A stream's ranges have the size of what a grain table covers.
        spec.rangeSize = kind.subformat == "streamOptimized" ? nil : 4 << 20
        var target = TargetSpec(path: directory.file("target"), format: kind.format)
        target.options = kind.subformat.map { [FormatOption("subformat", $0)] } ?? []
        target.existing = existing
        // Every range writes.
        target.sparseSize = 0
        spec.target = target
        order = JobOrder(id: "job-1", spec: spec)
        staging = try StagingFile(target: target.path, job: order.id)
        plan = try runner.plan(order, TestControl(firstPayload: 0))
        control = TestControl(firstPayload: plan.firstPayload?.bytes ?? 0)
    }

    var other: LocalRunner { LocalRunner(gate: DirectoryGate(), isFenced: true) }

    func run(_ index: Int, by runner: LocalRunner) throws -> RangeResult {
        control.range.store(index, ordering: .relaxed)
        return try runner.run(order, planHash: plan.planHash, index: index, control)
    }

    func runAll() throws -> [RangeResult] {
        try (0..<plan.rangeCount).map { try run($0, by: $0 % 2 == 0 ? runner : other) }
    }

    func seal(
        _ results: [RangeResult],
        by runner: LocalRunner
    ) throws(DrayError) -> SealResult {
        try runner.seal(order, planHash: plan.planHash, results: results, control)
    }

    func check(_ sealed: SealResult) throws {
        let (source, target) = (directory.file("source"), directory.file("target"))
        let format = order.spec.target?.format.rawValue ?? ""
        try Tool.check(["qemu-img", "compare", "-f", "raw", "-F", format, source, target])
        let sizes = try (["target"] + kind.others).map { name in
            try Tool.check(["stat", "-c", "%s", directory.file(name)]).dropLast()
        }
        #expect(sizes.reduce(0) { $0 + (UInt64($1) ?? 0) } == sealed.targetLength)
        #expect(directory.names == (["source", "target"] + kind.others).sorted())
    }
}

@Suite struct FencedRunnerTests {
    @Test(arguments: FencedKind.all, [TargetSpec.Existing.refuse, .replace])
    func `a worker that wakes up after the seal does not touch the target`(
        kind: FencedKind,
        existing: TargetSpec.Existing
    ) throws {
        let job = try FencedJob(kind, existing: existing)
        let late = job.other
        let results = try job.runAll()
        // It knows the job and has its files open.
        _ = try job.run(0, by: late)
        #expect(job.directory.names.contains(".target.job-1.lock"))
        let sealed = try job.seal(results, by: job.runner)
        let files = (["target"] + kind.others).map(job.directory.file)
        let content = try Tool.check(["sha256sum"] + files)
        for index in results.indices {
            #expect(throws: DrayError.self) { try job.run(index, by: late) }
        }
        #expect(try job.seal(results, by: late) == sealed)
        #expect(try job.seal(results, by: job.other) == sealed)
        #expect(try Tool.check(["sha256sum"] + files) == content)
        try job.check(sealed)
    }

    /// Where a seal can be cut off.
    enum Cut: CaseIterable {
        case closed
        case named
    }

    @Test(arguments: Cut.allCases, FencedKind.all)
    func `a seal that was cut off is done again from there`(cut: Cut, kind: FencedKind) throws {
        let job = try FencedJob(kind)
        let late = job.other
        let results = try job.runAll()
        _ = try job.run(0, by: late)
        let fence = TargetFence(job.staging)
        do {
            let lock = try #require(try fence.open(canClose: true))
            try lock.mark(.sealed, isDurable: true)
        }
        for index in results.indices {
            let error = #expect(throws: DrayError.self) { try job.run(index, by: late) }
            #expect(error?.kind == .refused)
        }
        // A plan that comes late changes nothing and says the same.
        #expect(try job.other.plan(job.order, job.control) == job.plan)
        if cut == .named {
            // As if the process had ended between the name and the lock file's removal.
            let sealed = try job.seal(results, by: job.other)
            _ = try fence.create(isDurable: false)
            try #require(try fence.open(canClose: true)).mark(.sealed, isDurable: false)
            #expect(try job.other.plan(job.order, job.control) == job.plan)
            #expect(try job.seal(results, by: late) == sealed)
        }
        try job.check(try job.seal(results, by: job.other))
    }

    @Test func `a seal waits for a writer that stands still, until it is cancelled`() throws {
        let job = try FencedJob(FencedKind(format: .raw))
        let results = try job.runAll()
        let writer = try #require(try TargetFence(job.staging).open())
        try writer.whileOpen { () throws(DrayError) in
            job.control.cancelled.store(true, ordering: .relaxed)
            do throws(DrayError) {
                _ = try job.seal(results, by: job.runner)
                Issue.record("the seal did not wait")
            } catch {
                #expect(error.kind == .cancelled)
            }
            #expect(!job.directory.names.contains("target"))
        }
        job.control.cancelled.store(false, ordering: .relaxed)
        try job.check(try job.seal(results, by: job.other))
    }

    @Test(arguments: [TargetSpec.Existing.refuse, .replace], [FencedKind.qcow2, .flat])
    func `a plan that comes late leaves nothing that a discard does not remove`(
        existing: TargetSpec.Existing,
        kind: FencedKind
    ) throws {
        let job = try FencedJob(kind, existing: existing)
        let sealed = try job.seal(try job.runAll(), by: job.runner)
        do {
            _ = try job.other.plan(job.order, job.control)
            #expect(existing == .replace)
        } catch {
            #expect(error.kind == .refused && existing == .refuse)
            try job.check(sealed)
        }
        try job.other.discard(job.order)
        try job.check(sealed)
    }

    @Test(arguments: [FencedKind.qcow2, .flat])
    func `a discarded job leaves nothing, and cannot be sealed`(kind: FencedKind) throws {
        let job = try FencedJob(kind)
        let late = job.other
        let results = try job.runAll()
        _ = try job.run(0, by: late)
        for runner in [job.runner, job.other] {
            try runner.discard(job.order)
            #expect(job.directory.names == ["source"])
        }
        for index in results.indices {
            #expect(throws: DrayError.self) { try job.run(index, by: late) }
        }
        #expect(throws: DrayError.self) { try job.seal(results, by: late) }
        // The whole job a second time, under the same name, and the first one's worker still does not write.
        let again = try job.other.plan(job.order, job.control)
        #expect(again.planHash != job.plan.planHash)
        #expect(throws: DrayError.self) { try job.seal(results, by: late) }
        try job.other.discard(job.order)
        #expect(job.directory.names == ["source"])
    }

    @Test func `a seal that finds its job discarded gives no name`() throws {
        let job = try FencedJob(.qcow2)
        let results = try job.runAll()
        let lock = try #require(try TargetFence(job.staging).open(canClose: true))
        try lock.mark(.discarded, isDurable: false)
        for step in [
            { _ = try job.seal(results, by: job.runner) },
            { _ = try job.other.plan(job.order, job.control) },
        ] {
            let error = #expect(throws: DrayError.self) { try step() }
            #expect(error?.kind == .refused)
        }
        try job.runner.discard(job.order)
        #expect(job.directory.names == ["source"])
    }

    @Test func `what cannot be fenced is refused before anything is made`() throws {
        let job = try FencedJob(.qcow2)
        try job.runner.discard(job.order)
        var inPlace = job.order.spec
        inPlace.target?.format = .raw
        inPlace.target?.existing = .overwrite
        var small = job.order.spec
        small.target?.cache = .none
        small.target?.options = [FormatOption("cluster_size", "2048")]
        for spec in [inPlace, small] {
            let order = JobOrder(id: "job-2", spec: spec)
            let error = #expect(throws: DrayError.self) {
                try job.runner.plan(order, job.control)
            }
            #expect(error?.kind == .unsupported)
            #expect(job.directory.names == ["source"])
        }
    }
}
