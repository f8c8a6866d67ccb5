// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import Conversion
import DiskImage
import Fleet
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(15)))
struct LocalFleetTests {
    private let convert: JobSpec = {
        var spec = JobSpec(kind: .convert, sources: [SourceSpec(path: "a.raw")])
        spec.target = TargetSpec(path: "b.qcow2", format: .qcow2)
        spec.digest = "sha256"
        return spec
    }()

    private let checksum: JobSpec = {
        var spec = JobSpec(kind: .checksum, sources: [SourceSpec(path: "a.raw")])
        spec.digest = "sha256"
        return spec
    }()

    private func fleet(_ slots: Int = 3) -> LocalFleet {
        LocalFleet(slots: slots) { _ in FakeFolder() }
    }

    @Test("every range runs once, has a place of its own, and the seal sees all in order")
    func convertsAll() throws {
        let runner = FakeRunner(count: 200)
        let report = try fleet().run(convert, runner: runner)
        let record = runner.record.withLock { $0 }
        #expect(record.plans == 1 && record.seals == 1 && record.discards == 0)
        #expect(record.runs.count == 200 && record.runs.values.allSatisfy { $0 == 1 })
        #expect(record.sealed.map(\.range.start.bytes) == (0..<200).map { UInt64($0) << 25 })
        let places = record.sealed.compactMap(\.placement?.reservation?.bytes).sorted()
        #expect(places.count == 200 && places.first == FakeRunner.firstPayload)
        #expect(Set(places).count == 200)
        #expect(report.outcome.targetLength == 77)
        #expect(report.outcome.dataBytes == report.plan.dataBytes)
    }

    @Test(
        "ranges that wait for one that failed do not keep it from running again",
        .timeLimit(.minutes(15)),
        arguments: [1, 2, 5],
        [nil, CompressionEffort.balanced]
    )
    func ordered(slots: Int, compression: CompressionEffort?) throws {
        let hasFailed = Atomic(false)
        let runner = FakeRunner(count: 40, isOrdered: true) { index, _ throws(DrayError) in
            guard index == 3, !hasFailed.exchange(true, ordering: .relaxed) else { return }
            throw DrayError(.resource, "not this time")
        }
        var spec = convert
        spec.target?.compression = compression
        _ = try fleet(slots).run(spec, runner: runner)
        var next = FakeRunner.firstPayload
        for (index, result) in runner.record.withLock({ $0.sealed }).enumerated() {
            #expect(result.placement?.reservation?.bytes == next)
            next += FakeRunner.bytes(index)
        }
        let failed = hasFailed.load(ordering: .relaxed)
        #expect(failed)
    }

    @Test("the digest does not depend on how many run at once")
    func digestIsOrdered() throws {
        let one = try fleet(1).run(checksum, runner: FakeRunner(count: 150)).outcome.digest
        let many = try fleet(8).run(checksum, runner: FakeRunner(count: 150)).outcome.digest
        #expect(one != nil && one == many)
    }

    @Test("an empty plan ends at once", arguments: [true, false])
    func emptyPlan(converts: Bool) throws {
        let report = try fleet().run(converts ? convert : checksum, runner: FakeRunner(count: 0))
        #expect(report.outcome.rangeCount == 0)
    }

    @Test("a permanent error ends the job as it was thrown, after cleaning up")
    func permanentError() throws {
        let error = DrayError(.corrupt, "L2 entry", file: "a.raw", offset: 4096, errno: 5)
        let runner = FakeRunner(count: 500) { index, _ throws(DrayError) in
            if index == 40 { throw error }
        }
        #expect(throws: error) { try fleet().run(convert, runner: runner) }
        let record = runner.record.withLock { $0 }
        #expect(record.discards == 1 && record.runs[40] == 1)
        #expect(record.runs.count < 200)
    }

    @Test("an error that may pass is met with one more try")
    func retriableError() throws {
        let failures = Atomic(0)
        let runner = FakeRunner(count: 50) { index, _ throws(DrayError) in
            if index == 7, failures.add(1, ordering: .relaxed).newValue == 1 {
                throw DrayError(.resource, "read failed", errno: 5)
            }
        }
        let report = try fleet().run(convert, runner: runner)
        #expect(runner.record.withLock { $0.runs[7] } == 2)
        #expect(report.outcome.retries == 1)
    }

    @Test("a stop from outside ends the job within a chunk and cleans up")
    func cancel() throws {
        let token = CancelToken()
        let runner = FakeRunner(count: 1000) { index, control throws(DrayError) in
            if index == 20 { token.cancel() }
            if control.isCancelled { throw DrayError(.cancelled, "stopped") }
        }
        let error = #expect(throws: DrayError.self) {
            try fleet().run(convert, runner: runner, cancel: token)
        }
        #expect(error?.kind == .cancelled)
        #expect(runner.record.withLock { $0.discards } == 1)
        #expect(runner.record.withLock { $0.seals } == 0)
    }

    @Test("a comparison ends at the first difference in guest order")
    func compareEndsEarly() throws {
        let spec = JobSpec(kind: .compare, sources: [SourceSpec(path: "a"), SourceSpec(path: "b")])
        let report = try fleet().run(spec, runner: DifferingRunner(count: 10_000, at: [900, 300]))
        #expect(report.outcome.mismatch == 300 << 25)
    }
}

/// Finds differences in some ranges.
private final class DifferingRunner: JobRunner {
    private let inner: FakeRunner
    private let differing: Set<Int>

    init(count: Int, at differing: Set<Int>) {
        inner = FakeRunner(count: count)
        self.differing = differing
    }

    func plan(_ job: JobOrder, _ control: any TaskControl) throws(DrayError) -> PlanResult {
        try inner.plan(job, control)
    }

    func run(
        _ job: JobOrder,
        planHash: String,
        index: Int,
        _ control: any TaskControl
    ) throws(DrayError) -> RangeResult {
        var result = try inner.run(job, planHash: planHash, index: index, control)
        if differing.contains(index) { result.mismatch = result.range.start }
        return result
    }

    func seal(
        _ job: JobOrder,
        planHash: String,
        results: [RangeResult],
        _ control: any TaskControl
    ) throws(DrayError) -> SealResult {
        try inner.seal(job, planHash: planHash, results: results, control)
    }

    func discard(_ job: JobOrder) throws(DrayError) { try inner.discard(job) }
}
