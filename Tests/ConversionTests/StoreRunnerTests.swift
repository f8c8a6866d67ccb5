// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Conversion
internal import DiskImage
internal import Glibc
internal import Synchronization
internal import TestSupport
internal import Testing

/// A store `s` and a place beside it that no job may reach.
private struct StoreBench {
    let directory = try? TemporaryDirectory()
    let root: String
    let outside: String
    let store: String

    init() throws {
        root = try #require(directory).path
        outside = root + "/outside"
        store = root + "/store"
        try Tool.check(["mkdir", "-p", outside, store + "/sub/deep", store + "/other"])
        try Tool.check(["ln", "-s", store, root + "/link"])
        for path in [
            outside + "/secret", store + "/a.raw", store + "/sub/b.raw", store + "/other/c.raw",
        ] {
            try Tool.check(["qemu-img", "create", "-q", "-f", "raw", path, "4M"])
            try Tool.check(["qemu-io", "-f", "raw", "-c", "write -P 7 64k 1M", path])
        }
    }

    func runner(_ directory: String? = nil) throws -> StoreRunner {
        try StoreRunner(stores: [("s", directory ?? store)])
    }

    func qcow2(_ name: String, backing: String) throws {
        let options = "backing_file=\(backing),backing_fmt=raw"
        try Tool.check(
            [
                "qemu-img", "create", "-q", "-u", "-f", "qcow2", "-o", options, store + "/" + name,
                "4M",
            ]
        )
    }

    /// Writes a VMDK descriptor with this line for its extent.
    func vmdk(_ name: String, _ line: String) throws {
        let text = "version=1\nCID=1\ncreateType=\"custom\"\n\(line)\n"
        try Tool.check(["bash", "-c", "printf '%s' \"$1\" > \"$0\"", store + "/" + name, text])
    }

    func checksum(_ path: String, references: [String]? = nil) -> JobOrder {
        var spec = JobSpec(kind: .checksum, sources: [SourceSpec(path: path)])
        spec.references = references
        return JobOrder(id: "job-1", spec: spec)
    }

    func convert(_ source: String, _ target: String, backing: String? = nil) -> JobOrder {
        var spec = JobSpec(kind: .convert, sources: [SourceSpec(path: source, format: .raw)])
        var wanted = TargetSpec(path: target, format: .qcow2)
        wanted.existing = .replace
        if let backing {
            wanted.options = [
                FormatOption("backing_file", backing), FormatOption("backing_fmt", "raw"),
            ]
        }
        spec.target = wanted
        return JobOrder(id: "job-1", spec: spec)
    }

    /// The error that planning ends with, which must not name a directory of this machine.
    func error(_ order: JobOrder) throws -> DrayError? {
        do throws(DrayError) {
            _ = try runner.plan(order, TestControl(firstPayload: 0))
            return nil
        } catch {
            #expect(!error.description.contains(root))
            return error
        }
    }

    private var runner: StoreRunner {
        get throws(DrayError) { try StoreRunner(stores: [("s", store)]) }
    }
}

@Suite struct StoreRunnerTests {
    private let bench: StoreBench

    init() throws { bench = try StoreBench() }

    @Test func `a job goes on where the store has another directory, not in a copy of it`() throws {
        let order = bench.convert("s/a.raw", "s/sub/new.qcow2", backing: "../other/c.raw")
        let plan = try bench.runner().plan(order, TestControl(firstPayload: 0))
        let control = TestControl(firstPayload: plan.firstPayload?.bytes ?? 0)
        let (moved, copy) = (bench.root + "/moved", bench.root + "/copy")
        try Tool.check(["mv", bench.store, moved])
        try Tool.check(["cp", "-rp", moved, copy])
        let error = #expect(throws: DrayError.self) {
            try bench.runner(copy).run(order, planHash: plan.planHash, index: 0, control)
        }
        #expect(error?.kind == .changed)
        let runner = try bench.runner(moved)
        let result = try runner.run(order, planHash: plan.planHash, index: 0, control)
        _ = try runner.seal(order, planHash: plan.planHash, results: [result], control)
        try Tool.check(["qemu-img", "compare", moved + "/a.raw", moved + "/sub/new.qcow2"])
    }

    @Test(arguments: ["twoGbMaxExtentSparse", "twoGbMaxExtentFlat", "monolithicFlat"])
    func `a disk of several files is made by two workers in turns`(subformat: String) throws {
        let (source, size) = (bench.store + "/large.raw", (4088 << 20) + 66_048)
        try Tool.check(["qemu-img", "create", "-q", "-f", "raw", source, String(size)])
        let places = [0, 1 << 20, (2044 << 20) - 512, 2044 << 20, (4088 << 20) + 65_536]
        let writes = places.flatMap { ["-c", "write -P 9 \($0) 512"] }
        try Tool.check(["qemu-io", "-f", "raw"] + writes + [source])
        var spec = JobSpec(kind: .convert, sources: [SourceSpec(path: "s/large.raw", format: .raw)])
        var target = TargetSpec(path: "s/sub/new.vmdk", format: .vmdk)
        target.options = [FormatOption("subformat", subformat)]
        spec.target = target
        let order = JobOrder(id: "job-1", spec: spec)
        let workers = try [bench.runner(), bench.runner()]
        let plan = try workers[0].plan(order, TestControl(firstPayload: 0))
        let control = TestControl(
            firstPayload: plan.firstPayload?.bytes ?? 0,
            further: plan.furtherPayload ?? []
        )
        let results = try (0..<plan.rangeCount).map { index in
            control.range.store(index, ordering: .relaxed)
            return try workers[index % 2].run(
                order,
                planHash: plan.planHash,
                index: index,
                control
            )
        }
        _ = try workers[1].seal(order, planHash: plan.planHash, results: results, control)
        try Tool.check(["qemu-img", "compare", source, bench.store + "/sub/new.vmdk"])
        let names = try Tool.check(["ls", "-A", bench.store + "/sub"])
        #expect(!names.contains("partial") && !names.contains("lock"), "\(names)")
    }

    @Test(
        "a path that is none of a store is refused",
        arguments: [
            "", "s", "s/", "/s/a.raw", "s//a.raw", "s/./a.raw", "s/sub/../a.raw",
            "s/../outside/secret",
            "t/a.raw", "s/a.raw/", "s/a.raw\0", "../store/a.raw", "s/sub", "s/pipe", "s/secret",
            "s/out/secret",
            "s/null",
        ]
    )
    func badPaths(path: String) throws {
        try Tool.check(["mkfifo", bench.store + "/pipe"])
        try Tool.check(["ln", "-s", bench.outside + "/secret", bench.store + "/secret"])
        try Tool.check(["ln", "-s", "../outside", bench.store + "/out"])
        try Tool.check(["ln", "-s", "/dev/null", bench.store + "/null"])
        #expect(try bench.error(bench.checksum(path))?.kind == .refused)
        #expect(try bench.error(bench.convert("s/a.raw", path))?.kind == .refused)
        let names = try Tool.check(["ls", "-A", bench.store, bench.outside])
        #expect(!names.contains(".lock") && !names.contains(".partial"))
    }

    @Test(
        "what an image names must lie in its directory or below",
        arguments: [
            ("b.raw", nil), ("sub/b.raw", nil), ("a.raw", nil),
            ("../other/c.raw", DrayError.Kind.refused),
            ("deep/missing", .resource), ("../missing", .refused), ("/etc/passwd", .refused),
            ("/nowhere", .refused), ("nbd:host:1", .refused), ("../../outside/secret", .refused),
            ("out/secret", .refused), ("/root/x/y", .refused),
        ] as [(String, DrayError.Kind?)]
    )
    func references(name: String, kind: DrayError.Kind?) throws {
        try Tool.check(["ln", "-s", "../../outside", bench.store + "/sub/out"])
        try Tool.check(["cp", bench.store + "/a.raw", bench.store + "/sub/a.raw"])
        try Tool.check(["mkdir", bench.store + "/sub/sub"])
        try Tool.check(["cp", bench.store + "/a.raw", bench.store + "/sub/sub/b.raw"])
        try bench.qcow2("sub/image", backing: name)
        #expect(try bench.error(bench.checksum("s/sub/image"))?.kind == kind)
        for line in ["RW 8192 FLAT \"\(name)\" 0", "RW 8192 VMFS \"\(name)\""] {
            try bench.vmdk("sub/disk", line)
            #expect(try bench.error(bench.checksum("s/sub/disk"))?.kind == kind, "\(line)")
        }
        try bench.vmdk("sub/damaged", "RW 8193 VMFS \"\(name)\"")
        #expect(try bench.error(bench.checksum("s/sub/damaged"))?.kind == kind ?? .corrupt)
    }

    @Test func `a job widens what its images may name, within the stores`() throws {
        try bench.qcow2("sub/image", backing: "../other/c.raw")
        try bench.vmdk("sub/disk", "RW 8192 FLAT \"../other/c.raw\" 0")
        for (references, kind) in [
            (["s/other"], nil), (["s"], nil), (["s/sub"], .refused), (["s/.."], .refused),
            (["t"], .refused), (["s/nowhere"], .refused), (["/"], .refused),
        ] as [([String], DrayError.Kind?)] {
            let order = bench.checksum("s/sub/image", references: references)
            #expect(try bench.error(order)?.kind == kind)
            let disk = bench.checksum("s/sub/disk", references: references)
            #expect(try bench.error(disk)?.kind == kind)
        }
        try bench.qcow2("sub/image", backing: "../../outside/secret")
        try Tool.check(["ln", "-s", bench.outside, bench.store + "/out"])
        for references in [["s"], ["s/out"]] {
            let order = bench.checksum("s/sub/image", references: references)
            #expect(try bench.error(order)?.kind == .refused)
        }
    }

    @Test(
        "a target's backing file is named relative to it and lies in the store",
        arguments: [
            ("b.raw", nil), ("../a.raw", nil), ("../../outside/secret", DrayError.Kind.refused),
            ("out/secret", .refused), ("nbd:x", .refused), ("", .refused), ("missing", .resource),
        ] as [(String, DrayError.Kind?)]
    )
    func backing(name: String, kind: DrayError.Kind?) throws {
        try Tool.check(["ln", "-s", "../../outside", bench.store + "/sub/out"])
        let order = bench.convert("s/a.raw", "s/sub/new", backing: name)
        #expect(try bench.error(order)?.kind == kind)
        let absolute = bench.convert("s/a.raw", "s/sub/new", backing: bench.store + "/a.raw")
        #expect(try bench.error(absolute)?.kind == .refused)
    }

    @Test func `a target does not take the name of another job's unfinished files`() throws {
        for name in [".x.job-2.partial", ".x.job-2.lock"] {
            #expect(try bench.error(bench.convert("s/a.raw", "s/" + name))?.kind == .refused)
        }
    }

    @Test func `errors name what jobs name`() throws {
        try Tool.check(["truncate", "-s", "100", bench.store + "/sub/short"])
        var order = bench.checksum("s/sub/short")
        order = JobOrder(
            id: "a",
            spec: {
                var spec = order.spec
                spec.sources[0].format = .qcow2
                return spec
            }()
        )
        #expect(try bench.error(order)?.file == "s/sub/short")
        let missing = try bench.error(bench.convert("s/a.raw", "s/nowhere/x"))
        #expect(missing?.kind == .resource && missing?.file == "s/nowhere/x")
    }

    @Test(
        "a path that leads nowhere for good is named, and not tried again",
        arguments: ["s/loop", "s/loop/x", "s/" + String(repeating: "n", count: 300)]
    )
    func endlessPaths(path: String) throws {
        try Tool.check(["ln", "-s", "loop", bench.store + "/loop"])
        for order in [bench.checksum(path), bench.convert("s/a.raw", path)] {
            let error = try #require(try bench.error(order))
            #expect(error.file == path && !error.mayPass)
        }
    }

    @Test func `a store that the worker lacks is named`() throws {
        let error = try #require(try bench.error(bench.checksum("other/a.raw")))
        #expect(error.kind == .refused && error.file == "other/a.raw")
        #expect(error.message.contains("no store 'other'"))
    }

    @Test func `stores have plain names and are directories`() throws {
        for (name, directory) in [
            ("", bench.store), ("a/b", bench.store), (".", bench.store), ("..", bench.store),
            ("s", "/"),
            ("s", bench.store + "/a.raw"), ("s", bench.store + "/nowhere"),
        ] {
            #expect(throws: DrayError.self) { try StoreRunner(stores: [(name, directory)]) }
        }
        #expect(throws: DrayError.self) {
            try StoreRunner(stores: [("s", bench.store), ("s", bench.outside)])
        }
    }
}
