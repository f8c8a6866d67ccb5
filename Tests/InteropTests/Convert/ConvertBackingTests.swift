// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

/// Chains of backing images.
@Suite struct ConvertBackingTests {
    /// A chain of `depth` overlays of random size and cluster size over a raw base; returns the paths, the base first.
    private func chain(_ depth: Int, _ bench: Workbench, seed: UInt64) throws -> [String] {
        var generator = SeededGenerator(seed: seed)
        var paths = [bench.raw]
        for level in 1...depth {
            let below = paths[level - 1]
            let path = bench.file("level\(level).qcow2")
            let cluster = ["512", "4k", "64k", "2M"].randomElement(using: &generator) ?? "64k"
            let size = UInt64.random(in: 1...49152, using: &generator) * 512
            let format = level == 1 ? "raw" : "qcow2"
            try Tool.check([
                "qemu-img", "create", "-q", "-f", "qcow2", "-o", "cluster_size=\(cluster)",
                "-b", below, "-F", format, path, String(size),
            ])
            var command = ["qemu-io"]
            for _ in 0..<6 {
                let start = UInt64.random(in: 0..<size / 512, using: &generator) * 512
                let length = min(size - start, UInt64.random(in: 1...2048, using: &generator) * 512)
                let kind = ["write -P \(level * 16 + 1)", "write -z", "write -z -u"].randomElement(
                    using: &generator
                )
                command += ["-c", "\(kind ?? "write") \(start) \(length)"]
            }
            try Tool.check(command + [path])
            paths.append(path)
        }
        return paths
    }

    @Test(arguments: 1...5)
    func `a chain reads as qemu-img reads it`(depth: Int) throws {
        for seed in SeededGenerator.seeds(4) {
            let bench = try Workbench(seed: seed)
            let top = try chain(depth, bench, seed: seed).last ?? ""
            let (mine, theirs) = (bench.file("mine.raw"), bench.file("theirs.raw"))
            let result = try DrayBinary.run(["convert", "-O", "raw", top, mine])
            try #require(result.succeeded, "DRAY_SEED=\(seed): \(result.error)")
            try Tool.check(["qemu-img", "convert", "-O", "raw", top, theirs])
            #expect(try Tool.run(["cmp", mine, theirs]).succeeded, "DRAY_SEED=\(seed)")
        }
    }

    @Test(arguments: ["", "cluster_size=4k", "cluster_size=2M", "compat=0.10", "extended_l2=on"])
    func `an overlay on the common base holds what lies above it`(options: String) throws {
        for seed in SeededGenerator.seeds(4) {
            let bench = try Workbench(seed: seed)
            let paths = try chain(3, bench, seed: seed)
            let target = bench.file("target.qcow2")
            for base in 0..<3 {
                let format = base == 0 ? "raw" : "qcow2"
                var option = "backing_file=\(paths[base]),backing_fmt=\(format)"
                if !options.isEmpty { option += ",\(options)" }
                let result = try DrayBinary.run([
                    "convert", "-O", "qcow2", "-o", option, paths[3], target,
                ])
                try #require(result.succeeded, "DRAY_SEED=\(seed) base \(base): \(result.error)")
                try bench.expectClean(target)
                try bench.expectSame(paths[3], "qcow2", target, "qcow2")
                try Tool.check(["rm", target])
            }
        }
    }

    @Test func `an overlay on another base has the right content all the same`() throws {
        let bench = try Workbench(seed: 2)
        let (other, target) = (bench.file("other.raw"), bench.file("target.qcow2"))
        try Tool.check(["qemu-img", "create", "-q", "-f", "raw", other, "32M"])
        try Tool.check(["qemu-io", "-f", "raw", "-c", "write -P 77 0 32M", other])
        try bench.dray(
            "convert",
            "-f",
            "raw",
            "-O",
            "qcow2",
            "-B",
            other,
            "-F",
            "raw",
            bench.raw,
            target
        )
        try bench.expectClean(target)
        try bench.expectSame(bench.raw, "raw", target, "qcow2")
    }

    @Test(arguments: [("qcow2", "compat=0.10"), ("qcow2", ""), ("vmdk", "zeroed_grain=off")])
    func `zeros behind the end of a shorter backing image take no space`(
        format: String,
        options: String
    ) throws {
        let bench = try Workbench(seed: 3)
        let (base, top) = (bench.file("base." + format), bench.file("top.qcow2"))
        let (mine, theirs) = (bench.file("mine"), bench.file("theirs"))
        // The backing image ends inside a cluster, and some of the zeros hide what it has.
        let script = """
            qemu-img create -q -f \(format) \(base) 1056k
            qemu-io -f \(format) -c 'write -q -P 7 0 1056k' \(base)
            qemu-img create -q -f qcow2 -b \(base) -F \(format) \(top) 64M
            qemu-io -f qcow2 -c 'write -q -P 8 0 64k' -c 'write -q -z 512k 60M' -c 'write -q -P 9 62M 64k' \(top)
            """
        try Tool.check(["bash", "-ec", script])
        let backing = "backing_file=\(base),backing_fmt=\(format)"
        let all = ["-O", format, "-o", options.isEmpty ? backing : backing + "," + options]
        try Tool.check([DrayBinary.path, "convert"] + all + [top, mine])
        try Tool.check(["qemu-img", "convert"] + all + [top, theirs])
        try Tool.check(["qemu-img", "check", "-f", format, mine])
        try Tool.check(["qemu-img", "compare", "-F", format, top, mine])
        let (size, limit) = (try Workbench.size(mine), try Workbench.size(theirs))
        #expect(size.length <= limit.length && size.allocated <= limit.allocated)
    }

    @Test func `a loop of backing images is refused`() throws {
        let bench = try Workbench(seed: 1)
        let (a, b) = (bench.file("a.qcow2"), bench.file("b.qcow2"))
        try Tool.check(["qemu-img", "create", "-q", "-f", "qcow2", a, "1M"])
        try Tool.check(["qemu-img", "create", "-q", "-f", "qcow2", "-b", a, "-F", "qcow2", b])
        try Tool.check(["qemu-img", "rebase", "-u", "-b", b, "-F", "qcow2", a])
        let result = try DrayBinary.run(["convert", "-O", "raw", a, bench.file("out.raw")])
        #expect(result.status == 3 && result.error.contains("loop"), "\(result.error)")
        #expect(!bench.directory.names.contains("out.raw"))
    }

    @Test func `a backing image outside the directory needs permission`() throws {
        let bench = try Workbench(seed: 1)
        let elsewhere = try TemporaryDirectory()
        let (image, target) = (elsewhere.file("image.qcow2"), bench.file("out.raw"))
        try Tool.check([
            "qemu-img", "create", "-q", "-f", "qcow2", "-b", bench.raw, "-F", "raw", image,
        ])
        let refused = try DrayBinary.run(["convert", "-O", "raw", image, target])
        #expect(
            refused.status == 5 && refused.error.contains("--allow-references"),
            "\(refused.error)"
        )
        try bench.dray(
            "convert",
            "--allow-references",
            bench.directory.path,
            "-O",
            "raw",
            image,
            target
        )
        try Tool.check(["cmp", bench.raw, target])
        let closed = try DrayBinary.run(["convert", "--no-references", "-O", "raw", image, target])
        #expect(closed.status == 5, "\(closed.error)")
    }
}
