// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Conversion
internal import DiskImage
internal import Storage
internal import Synchronization
internal import TestSupport
internal import Testing

/// What a job finds of its unfinished target when it goes on.
@Suite struct ResumeCheckTests {
    /// Plans and runs a job whose disk ends with zeros inside its last cluster, and gives what the check looks at.
    private func run(
        _ kind: FencedKind,
        _ directory: TemporaryDirectory
    ) throws -> (JobOrder, PlanResult, [RangeResult]) {
        let source = directory.file("source")
        try Tool.check(["qemu-img", "create", "-q", "-f", "raw", source, "100M"])
        try Tool.check(["qemu-io", "-f", "raw", "-c", "write -P 5 1M 60k", source])
        var spec = JobSpec(kind: .convert, sources: [SourceSpec(path: source, format: .raw)])
        var target = TargetSpec(path: directory.file("target"), format: kind.format)
        target.options = kind.subformat.map { [FormatOption("subformat", $0)] } ?? []
        spec.target = target
        let order = JobOrder(id: "job-1", spec: spec)
        let runner = LocalRunner(gate: DirectoryGate())
        let plan = try runner.plan(order, TestControl(firstPayload: 0))
        let control = TestControl(firstPayload: plan.firstPayload?.bytes ?? 0)
        let results = try (0..<plan.rangeCount).map { index in
            control.range.store(index, ordering: .relaxed)
            return try runner.run(order, planHash: plan.planHash, index: index, control)
        }
        return (order, plan, results)
    }

    @Test(arguments: FencedKind.all)
    func `what was left as it was passes, what was cut does not`(kind: FencedKind) throws {
        let directory = try TemporaryDirectory()
        let (order, plan, results) = try run(kind, directory)
        let (other, control) = (LocalRunner(gate: DirectoryGate()), TestControl(firstPayload: 0))
        try other.check(order, plan: plan, results: results, control)
        let largest = try Tool.check(["bash", "-c", "ls -S \(directory.path)/.t*partial | head -1"])
        try Tool.check(["truncate", "-s", "1000", String(largest.dropLast())])
        let error = #expect(throws: DrayError.self) {
            try other.check(order, plan: plan, results: results, control)
        }
        #expect(error?.kind == .changed && error?.message.contains("1000 bytes") == true)
        try Tool.check(["rm", directory.file(".target.job-1.partial")])
        #expect(throws: DrayError.self) {
            try other.check(order, plan: plan, results: Array(results.dropLast()), control)
        }
    }
}
