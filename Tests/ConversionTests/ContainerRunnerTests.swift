// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Conversion
internal import DiskImage
internal import Synchronization
internal import TaskLog
internal import TestSupport
internal import Testing

/// Workers of a fleet on images inside compressed streams and archives.
@Suite(.timeLimit(.minutes(15))) struct ContainerRunnerTests {
    /// A store with a disk of 40 MiB, raw, compressed and archived.
    private struct Bench {
        let directory: TemporaryDirectory

        /// Compresses the disk by `script`.
        init(_ script: String) throws {
            directory = try TemporaryDirectory()
            let disk = ImageDescription(
                size: 20 << 20,
                stretches: [
                    .init(start: 0, length: 5 << 20, content: .data(seed: 1)),
                    .init(start: 17 << 20, length: 3 << 20, content: .data(seed: 2)),
                ]
            )
            try disk.writeRaw(to: directory.file("a.raw"))
            try Tool.check(["bash", "-ec", "cd \(directory.path); " + script])
        }

        func runner() throws -> StoreRunner {
            try StoreRunner(stores: [("s", directory.path)])
        }

        func order(_ name: String, member: String? = nil) -> JobOrder {
            var source = SourceSpec(path: "s/" + name)
            source.member = member
            var spec = JobSpec(kind: .checksum, sources: [source])
            spec.rangeSize = 4 << 20
            return JobOrder(id: "job-1", spec: spec)
        }
    }

    @Test(arguments: [
        ("a.raw.gz", nil, "gzip -1 -k a.raw"), ("a.raw.zst", nil, "zstd -q a.raw"),
        ("a.raw.xz", nil, "xz -0 -T1 -k a.raw"),
        (
            "a.ova", "a.raw",
            "echo no > b.raw; tar -cf a.ova b.raw a.raw; cp --sparse=never a.raw dense.raw"
        ),
    ])
    func `two workers share the ranges, in any order`(
        name: String,
        member: String?,
        script: String
    ) throws {
        let bench = try Bench(script)
        let control = TestControl(firstPayload: 0)
        // An archive has no holes, which would make other ranges.
        let plain = member == nil ? "a.raw" : "dense.raw"
        let expected = try results(bench.order(plain), [bench.runner()], control)
        let found = try results(
            bench.order(name, member: member),
            [bench.runner(), bench.runner()],
            control
        )
        let isSame = found.map(\.digest) == expected.map(\.digest)
        #expect(isSame && !found.isEmpty)
    }

    /// The results of all ranges, each run by one of `runners` on one of two threads.
    private func results(
        _ order: JobOrder,
        _ runners: [StoreRunner],
        _ control: TestControl
    ) throws -> [RangeResult] {
        let plan = try runners[0].plan(order, control)
        let waiting = Mutex(Array((0..<plan.rangeCount).reversed()))
        let found = Mutex<[Int: Result<RangeResult, DrayError>]>([:])
        let threads = try (0..<2).map { _ in
            try OwnThread {
                while let index = waiting.withLock({ $0.popLast() }) {
                    let runner = runners[index % runners.count]
                    do throws(DrayError) {
                        let result = try runner.run(
                            order,
                            planHash: plan.planHash,
                            index: index,
                            control
                        )
                        found.withLock { $0[index] = .success(result) }
                    } catch { found.withLock { $0[index] = .failure(error) } }
                }
            }
        }
        for thread in threads { thread.join() }
        let all = found.withLock { $0 }
        return try (0..<plan.rangeCount).map { index in try #require(all[index]).get() }
    }

    @Test func `an archive's errors name no directory of the machine`() throws {
        let bench = try Bench(
            """
            echo no > b.raw; tar -cf a.ova b.raw a.raw
            sha256sum a.raw | sed 's/\\(.*\\)  \\(.*\\)/SHA256(\\2)= \\1/' > a.mf
            tar -cf c.ova a.mf a.raw
            printf X | dd of=c.ova bs=1 seek=2000000 conv=notrunc status=none
            """
        )
        let control = TestControl(firstPayload: 0)
        for (name, word) in [("a.ova", "b.raw, a.raw"), ("c.ova", "s/c.ova/a.raw: the SHA256 is")] {
            let error = try #require(throws: DrayError.self) {
                _ = try bench.runner().plan(bench.order(name), control)
            }
            #expect("\(error)".contains(word), "\(error)")
            #expect(!"\(error)".contains(bench.directory.path))
        }
    }

    @Test func `a stream that changes between two ranges ends the job as changed`() throws {
        let bench = try Bench("gzip -1 -k a.raw")
        let control = TestControl(firstPayload: 0)
        let order = bench.order("a.raw.gz")
        let runner = try bench.runner()
        let plan = try runner.plan(order, control)
        _ = try runner.run(order, planHash: plan.planHash, index: 0, control)
        try Tool.check(["bash", "-ec", "cd \(bench.directory.path); gzip -9 -c a.raw > a.raw.gz"])
        let error = try #require(throws: DrayError.self) {
            _ = try runner.run(order, planHash: plan.planHash, index: 1, control)
        }
        #expect(error.kind == .changed, "\(error)")
    }

    @Test func `who is told to stop while a stream is opened stops`() throws {
        let bench = try Bench("gzip -1 -k a.raw")
        let control = TestControl(firstPayload: 0)
        control.cancelled.store(true, ordering: .relaxed)
        let error = try #require(throws: DrayError.self) {
            _ = try bench.runner().plan(bench.order("a.raw.gz"), control)
        }
        #expect(error.kind == .cancelled, "\(error)")
    }
}
