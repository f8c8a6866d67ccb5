// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import Conversion
import DiskImage
import Fleet
import Glibc
import Synchronization
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(15)))
struct LocalJournalTests {
    private static let spec: JobSpec = {
        var spec = JobSpec(kind: .convert, sources: [SourceSpec(path: "a.raw")])
        spec.target = TargetSpec(path: "b.qcow2", format: .qcow2)
        spec.digest = "sha256"
        return spec
    }()

    private static func run(
        _ path: String,
        _ runner: FakeRunner,
        spec: JobSpec = Self.spec
    ) throws -> LocalFleet.Report {
        let fleet = LocalFleet(slots: 3, journal: path) { _ in FakeFolder() }
        return try fleet.run(spec, runner: runner)
    }

    /// A path in a directory of its own that is removed afterwards.
    private func withPath(_ body: (String) async throws -> Void) async throws {
        let directory = try TemporaryDirectory()
        try await body(directory.file("job.journal"))
    }

    @Test(
        "a job killed at any range goes on with the ranges that are missing",
        arguments: [0, 1, 30, 79]
    )
    func resumes(killedAt: Int) async throws {
        try await withPath { path in
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [path = path as String, killedAt = killedAt as Int] in
                let runner = FakeRunner(count: 80) { index, _ in
                    if index == killedAt { kill(getpid(), SIGKILL) }
                }
                _ = try LocalJournalTests.run(path, runner)
            }
            let plain = try LocalFleet(slots: 2) { _ in FakeFolder() }
                .run(Self.spec, runner: FakeRunner(count: 80)).outcome
            let runner = FakeRunner(count: 80)
            let report = try Self.run(path, runner)
            #expect(report.outcome.digest == plain.digest)
            #expect(report.outcome.dataBytes == plain.dataBytes)
            let record = runner.record.withLock { $0 }
            #expect(record.plans == 1 && record.seals == 1)
            #expect(record.runs.count <= 80 && record.runs[killedAt] == 1)
            if killedAt == 79 { #expect(record.runs.count < 20) }
            let places = record.sealed.compactMap(\.placement?.reservation?.bytes)
            #expect(Set(places).count == 80)
        }
    }

    @Test("a finished journal returns what was recorded, and runs nothing")
    func finished() async throws {
        try await withPath { path in
            let first = try Self.run(path, FakeRunner(count: 20))
            let runner = FakeRunner(count: 20)
            let second = try Self.run(path, runner)
            #expect(second.wasDone && !first.wasDone)
            #expect(second.outcome == first.outcome)
            #expect(runner.record.withLock { $0.plans + $0.seals + $0.runs.count } == 0)
        }
    }

    @Test("a source that changed is refused")
    func changedSource() async throws {
        try await withPath { path in
            await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
                let runner = FakeRunner(count: 80) { index, _ in
                    if index == 40 { kill(getpid(), SIGKILL) }
                }
                _ = try LocalJournalTests.run(path, runner)
            }
            let error = #expect(throws: DrayError.self) {
                try Self.run(path, FakeRunner(count: 80, planHash: "other"))
            }
            #expect(error?.kind == .changed)
        }
    }

    @Test("another command's journal is refused, and a failed job's begins afresh")
    func otherCommands() async throws {
        try await withPath { path in
            let failing = FakeRunner(count: 9) { index, _ throws(DrayError) in
                if index == 5 { throw DrayError(.corrupt, "bad") }
            }
            #expect(throws: DrayError(.corrupt, "bad")) { try Self.run(path, failing) }
            var other = Self.spec
            other.digest = "sha512"
            let error = #expect(throws: DrayError.self) {
                try Self.run(path, FakeRunner(count: 9), spec: other)
            }
            #expect(error?.kind == .invalid)
            let runner = FakeRunner(count: 9)
            _ = try Self.run(path, runner)
            #expect(runner.record.withLock { $0.runs.count } == 9)
        }
    }
}
