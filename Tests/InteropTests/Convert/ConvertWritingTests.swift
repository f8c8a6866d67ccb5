// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

/// What dray writes, as qemu-img reads it.
@Suite struct ConvertWritingTests {
    @Test(arguments: ConvertOptions.written)
    func `a raw disk becomes a clean qcow2 of equal content`(options: String) throws {
        for seed in SeededGenerator.seeds(3) {
            let bench = try Workbench(seed: seed)
            let target = bench.file("target.qcow2")
            var command = ["convert", "-f", "raw", "-O", "qcow2"]
            if !options.isEmpty { command += ["-o", options] }
            let result = try DrayBinary.run(command + [bench.raw, target])
            try #require(result.succeeded, "DRAY_SEED=\(seed) \(options): \(result.error)")
            try bench.expectClean(target)
            try bench.expectSame(bench.raw, "raw", target, "qcow2")
            #expect(bench.directory.names == ["source.raw", "target.qcow2"])
            try expectNoLarger(than: options, bench, target, seed)
        }
    }

    /// Expects the file to be no larger than what qemu-img makes, in length and in space.
    private func expectNoLarger(
        than options: String,
        _ bench: Workbench,
        _ target: String,
        _ seed: UInt64
    ) throws {
        let other = bench.file("qemu.qcow2")
        var command = ["qemu-img", "convert", "-f", "raw", "-O", "qcow2"]
        if !options.isEmpty { command += ["-o", options] }
        try Tool.check(command + [bench.raw, other])
        let (mine, theirs) = (try Workbench.size(target), try Workbench.size(other))
        #expect(mine.length <= theirs.length, "DRAY_SEED=\(seed) \(options)")
        #expect(mine.allocated <= theirs.allocated, "DRAY_SEED=\(seed) \(options)")
        try Tool.check(["rm", other])
    }

    @Test func `a qcow2 becomes raw, and raw another raw`() throws {
        for seed in SeededGenerator.seeds(4) {
            let bench = try Workbench(seed: seed)
            let image = bench.file("image.qcow2")
            try bench.dray("convert", "-O", "qcow2", "-f", "raw", bench.raw, image)
            try bench.dray("convert", "-O", "raw", image, bench.file("back.raw"))
            try bench.dray("convert", "-f", "raw", "-O", "raw", bench.raw, bench.file("copy.raw"))
            try Tool.check(["cmp", bench.raw, bench.file("back.raw")])
            try Tool.check(["cmp", bench.raw, bench.file("copy.raw")])
            let (source, copy) = (
                try Workbench.size(bench.raw), try Workbench.size(bench.file("copy.raw"))
            )
            #expect(copy.allocated <= source.allocated, "DRAY_SEED=\(seed)")
        }
    }

    @Test func `an odd size is kept in raw and rounded up to a sector in qcow2`() throws {
        let bench = try Workbench(seed: 7, sizeUnit: 1)
        try bench.dray("convert", "-f", "raw", "-O", "raw", bench.raw, bench.file("copy.raw"))
        try Tool.check(["cmp", bench.raw, bench.file("copy.raw")])
        try bench.dray("convert", "-f", "raw", "-O", "qcow2", bench.raw, bench.file("copy.qcow2"))
        try bench.expectSame(bench.raw, "raw", bench.file("copy.qcow2"), "qcow2")
    }

    @Test(arguments: ["0", "4k", "64k", "1M"])
    func `a sparse size changes what is allocated, never what is read`(size: String) throws {
        let bench = try Workbench(seed: 11)
        for format in ["raw", "qcow2"] {
            let target = bench.file("target.\(format)")
            try bench.dray("convert", "-f", "raw", "-O", format, "-S", size, bench.raw, target)
            try bench.expectSame(bench.raw, "raw", target, format)
            if size == "0" {
                #expect(try Workbench.size(target).allocated >= bench.disk.size)
            }
        }
    }

    @Test func `several sources are concatenated`() throws {
        let bench = try Workbench(seed: 3)
        let (second, joined) = (bench.file("second.qcow2"), bench.file("joined.raw"))
        try Tool.check(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", bench.raw, second])
        let command = ["convert", "-O", "raw", bench.raw, second, bench.raw]
        #expect(try DrayBinary.run(command + [joined]).succeeded)
        try Tool.check(["qemu-img"] + command + [bench.file("reference.raw")])
        try Tool.check(["cmp", joined, bench.file("reference.raw")])
    }

    @Test func `an empty disk and a tebibyte of nothing convert`() throws {
        let bench = try Workbench(seed: 1)
        for size in ["0", "1T"] {
            let (source, target) = (bench.file("empty.raw"), bench.file("empty-\(size).qcow2"))
            try Tool.check(["truncate", "-s", size, source])
            try bench.dray("convert", "-f", "raw", "-O", "qcow2", source, target)
            try bench.expectClean(target)
            try bench.expectSame(source, "raw", target, "qcow2")
            try Tool.check(["rm", source])
        }
    }
}
