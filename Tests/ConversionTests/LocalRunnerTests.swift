// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Conversion
internal import DiskImage
internal import Storage
internal import Synchronization
internal import TestSupport
internal import Testing

@Suite struct LocalRunnerTests {
    private func order(_ source: String, _ target: String, _ format: ImageFormat) -> JobOrder {
        var spec = JobSpec(kind: .convert, sources: [SourceSpec(path: source, format: .raw)])
        spec.target = TargetSpec(path: target, format: format)
        spec.rangeSize = 4 << 20
        return JobOrder(id: "test", spec: spec)
    }

    @Test(arguments: [ImageFormat.raw, .qcow2])
    func `ranges in any order and run twice give the same image`(format: ImageFormat) throws {
        var generator = SeededGenerator(for: "runner")
        let directory = try TemporaryDirectory()
        let (source, target) = (directory.file("source"), directory.file("target"))
        let disk = ImageDescription.random(using: &generator, largestSize: 40 << 20)
        try disk.writeRaw(to: source)
        let order = order(source, target, format)
        let runner = LocalRunner(gate: DirectoryGate())
        let plan = try runner.plan(order, TestControl(firstPayload: 0))
        let control = TestControl(firstPayload: plan.firstPayload?.bytes ?? 0)
        var results: [Int: RangeResult] = [:]
        let indexes = (0..<plan.rangeCount).shuffled(using: &generator)
        for index in indexes + indexes {
            control.range.store(index, ordering: .relaxed)
            // Another worker, which knows nothing yet.
            let other = index % 3 == 0 ? LocalRunner(gate: DirectoryGate()) : runner
            let result = try other.run(order, planHash: plan.planHash, index: index, control)
            if let earlier = results[index] { #expect(earlier == result) }
            results[index] = result
        }
        let ordered = try (0..<plan.rangeCount).map { try #require(results[$0]) }
        for _ in 0..<2 {
            _ = try runner.seal(order, planHash: plan.planHash, results: ordered, control)
        }
        try Tool.check(["qemu-img", "compare", "-f", "raw", "-F", format.rawValue, source, target])
        if format == .qcow2 { try Tool.check(["qemu-img", "check", "-f", "qcow2", target]) }
        #expect(directory.names == ["source", "target"])
    }

    /// A busy machine can make any system call slow: that must not look like another source.
    @Test(arguments: [true, false])
    func `a plan is run by workers that find holes slower or faster than its maker`(
        isBlind: Bool
    ) throws {
        let directory = try TemporaryDirectory()
        let (source, target) = (directory.file("source"), directory.file("target"))
        try Tool.check(["truncate", "-s", "96M", source])
        try Tool.check(["qemu-io", "-f", "raw", "-c", "write -P 1 40M 9M", source])
        let order = order(source, target, .raw)
        func runner(_ isBlind: Bool) -> LocalRunner {
            LocalRunner(gate: DirectoryGate(), patience: isBlind ? .none : .short)
        }
        let control = TestControl(firstPayload: 0)
        let plan = try runner(isBlind).plan(order, control)
        #expect(plan.rangeCount == (isBlind ? 24 : 5))
        let other = runner(!isBlind)
        let results = try (0..<plan.rangeCount).map { index in
            try other.run(order, planHash: plan.planHash, index: index, control)
        }
        // Who goes on with a job makes the same plan again, whatever it finds.
        let next = runner(!isBlind)
        try next.check(order, plan: plan, results: results, control)
        #expect(try next.plan(order, control) == plan)
        let last = runner(!isBlind)
        _ = try last.seal(order, planHash: plan.planHash, results: results, control)
        try Tool.check(["qemu-img", "compare", "-f", "raw", "-F", "raw", source, target])
    }

    /// The kernel tells of data that it could not write once, and only whoever had the file open: a seal that is tried again must not take
    /// the next silence for success.
    @Test(arguments: ["monolithicSparse", "twoGbMaxExtentSparse", "monolithicFlat"])
    func `a seal whose flush has failed does not succeed when it is tried again`(
        subformat: String
    ) throws {
        let directory = try TemporaryDirectory()
        let (source, target) = (directory.file("source"), directory.file("target"))
        try Tool.check(["truncate", "-s", "4M", source])
        try Tool.check(["qemu-io", "-f", "raw", "-c", "write -P 1 1M 1M", source])
        var spec = order(source, target, .vmdk).spec
        spec.target?.cache = .writeback
        spec.target?.options = [FormatOption("subformat", subformat)]
        let order = JobOrder(id: "test", spec: spec)
        let isTold = Mutex(false)
        let runner = LocalRunner(gate: DirectoryGate()) { storage in
            LosingStorage(storage) {
                isTold.withLock { isTold in
                    defer { isTold = true }
                    return !isTold
                }
            }
        }
        let plan = try runner.plan(order, TestControl(firstPayload: 0))
        let control = TestControl(
            firstPayload: plan.firstPayload?.bytes ?? 0,
            further: plan.furtherPayload ?? []
        )
        let result = try runner.run(order, planHash: plan.planHash, index: 0, control)
        for _ in 0..<3 {
            let error = #expect(throws: DrayError.self) {
                try runner.seal(order, planHash: plan.planHash, results: [result], control)
            }
            #expect(error?.kind == .resource)
        }
        try runner.discard(order)
        #expect(directory.names == ["source"])
    }

    @Test func `a source that changes fails the job as changed`() throws {
        let directory = try TemporaryDirectory()
        let (source, target) = (directory.file("source"), directory.file("target"))
        try Tool.check(["truncate", "-s", "16M", source])
        let order = order(source, target, .raw)
        let runner = LocalRunner(gate: DirectoryGate())
        let control = TestControl(firstPayload: 0)
        let plan = try runner.plan(order, control)
        try Tool.check(["qemu-io", "-f", "raw", "-c", "write 0 4k", source])
        for runner in [runner, LocalRunner(gate: DirectoryGate())] {
            let error = #expect(throws: DrayError.self) {
                try runner.run(order, planHash: plan.planHash, index: 0, control)
            }
            #expect(error?.kind == .changed)
        }
        try runner.discard(order)
        #expect(directory.names == ["source"])
    }

    @Test func `a cancelled range stops`() throws {
        let directory = try TemporaryDirectory()
        let source = directory.file("source")
        try Tool.check(["qemu-img", "create", "-q", "-f", "raw", source, "16M"])
        try Tool.check(["qemu-io", "-f", "raw", "-c", "write -P 1 0 16M", source])
        let order = order(source, directory.file("target"), .qcow2)
        let runner = LocalRunner(gate: DirectoryGate())
        let control = TestControl(firstPayload: 65536)
        let plan = try runner.plan(order, control)
        control.cancelled.store(true, ordering: .relaxed)
        let error = #expect(throws: DrayError.self) {
            try runner.run(order, planHash: plan.planHash, index: 0, control)
        }
        #expect(error?.kind == .cancelled)
    }
}
