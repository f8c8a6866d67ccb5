// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

/// The VMDK images that dray writes, as qemu-img and 7-Zip read them.
@Suite struct VMDKWritingTests {
    /// Every option alone, and combinations that change the layout.
    static let options = [
        "", "subformat=monolithicSparse", "adapter_type=lsilogic", "adapter_type=buslogic",
        "adapter_type=legacyESX", "hwversion=8", "hwversion=undefined", "compat6=on",
        "toolsversion=12345", "zeroed_grain=on", "zeroed_grain=on,adapter_type=ide,hwversion=21",
        "subformat=monolithicFlat", "subformat=twoGbMaxExtentSparse",
        "subformat=twoGbMaxExtentFlat", "subformat=monolithicFlat,adapter_type=lsilogic",
        "subformat=twoGbMaxExtentSparse,zeroed_grain=on",
        "subformat=streamOptimized", "subformat=streamOptimized,zeroed_grain=on,hwversion=14",
    ]

    @Test(arguments: options)
    func `a raw disk becomes a vmdk of equal content, no larger than qemu's`(
        options: String
    ) throws {
        for seed in SeededGenerator.seeds(2) {
            let bench = try Workbench(seed: seed)
            let target = bench.file("target.vmdk")
            try convert(bench, options, to: target)
            try bench.expectClean(target, "vmdk")
            try bench.expectSame(bench.raw, "raw", target, "vmdk")
            try expectSameIn7Zip(bench.raw, target)
            let other = bench.file("qemu.vmdk")
            let qemu = ["qemu-img", "convert", "-f", "raw", "-O", "vmdk"]
            try Tool.check(qemu + Self.arguments(options) + [bench.raw, other])
            try expectNoLarger(bench, "target", than: "qemu", seed)
            #expect(try Self.description(target) == Self.description(other), "\(options)")
        }
    }

    @Test(arguments: ["512", "1000448", "2147483648", "100G"])
    func `an empty disk of any size converts`(size: String) throws {
        let bench = try Workbench(seed: 1)
        let (source, target) = (bench.file("empty.qcow2"), bench.file("empty.vmdk"))
        try Tool.check(["qemu-img", "create", "-q", "-f", "qcow2", source, size])
        try bench.dray("convert", "-O", "vmdk", source, target)
        try bench.expectSame(source, "qcow2", target, "vmdk")
    }

    static let severalFiles = ["monolithicFlat", "twoGbMaxExtentSparse", "twoGbMaxExtentFlat"]

    @Test(arguments: severalFiles)
    func `disks of more than 2 GiB are split as their descriptor says`(subformat: String) throws {
        let bench = try Workbench(seed: 1, largestSize: 1 << 20)
        let (source, target) = (bench.file("large.raw"), bench.file("large.vmdk"))
        // Data around the borders of files, and a size that is no multiple of a grain.
        let border = 2044 << 20
        try Tool.check(["truncate", "-s", String(2 * border + 70_144), source])
        let places = [0, border - 5000, border, 2 * border - (32 << 20), 2 * border + 66_000]
        let writes = places.flatMap { ["-c", "write -P \(7 + $0 % 13) \($0) 4k"] }
        try Tool.check(["qemu-io", "-f", "raw"] + writes + [source])
        let options = ["convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=\(subformat)"]
        for more in [[], ["--range-size", "128M", "--force"]] {
            let result = try DrayBinary.run(options + more + [source, target])
            try #require(result.succeeded, "\(result.error)")
            try bench.expectClean(target, "vmdk")
            try bench.expectSame(source, "raw", target, "vmdk")
        }
        try expectSameIn7Zip(source, target)
        let extents = bench.directory.names.filter { $0.hasPrefix("large-") }
        #expect(extents.count == (subformat == "monolithicFlat" ? 1 : 3))
        for extent in extents where subformat != "monolithicFlat" {
            #expect(try Workbench.size(bench.file(extent)).length < 2 << 30)
        }
    }

    @Test(arguments: severalFiles)
    func `extents of an image whose name has a colon are found`(subformat: String) throws {
        let bench = try Workbench(seed: 4)
        let target = bench.file("2026-11-22T10:45 nbd:disk.vmdk")
        try convert(bench, "subformat=\(subformat)", to: target)
        try bench.dray("compare", "-f", "vmdk", "-F", "raw", target, bench.raw)
        try bench.expectSame(bench.raw, "raw", target, "vmdk")
        try expectSameIn7Zip(bench.raw, target)
    }

    @Test(arguments: severalFiles, ["falloc", "full"])
    func `preallocation gives flat files their space`(subformat: String, mode: String) throws {
        guard subformat != "twoGbMaxExtentSparse" else { return }
        let bench = try Workbench(seed: 3)
        let target = bench.file("target.vmdk")
        try convert(bench, "subformat=\(subformat),preallocation=\(mode)", to: target)
        try bench.expectSame(bench.raw, "raw", target, "vmdk")
        let files = bench.directory.names.filter { $0.hasPrefix("target-") }
        let space = try files.reduce(0) { try $0 + Workbench.size(bench.file($1)).allocated }
        #expect(space >= bench.disk.size)
    }

    @Test(arguments: severalFiles)
    func `files that stand in the way are kept without force and replaced with it`(
        subformat: String
    ) throws {
        let bench = try Workbench(seed: 4)
        let target = bench.file("target.vmdk")
        try convert(bench, "subformat=\(subformat)", to: target)
        let names = bench.directory.names
        try Tool.check(["rm", target])
        let before = try Tool.check(
            ["sha256sum"] + names.filter { $0 != "target.vmdk" }.map(bench.file)
        )
        let command = ["convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=\(subformat)"]
        let result = try DrayBinary.run(command + [bench.raw, target])
        #expect(result.status == 5 && result.error.contains("target-"), "\(result.error)")
        let after = try Tool.check(["sha256sum"] + bench.directory.names.map(bench.file))
        #expect(before == after)
        try Tool.check(["touch", target])
        for _ in 0..<2 {
            let forced = try DrayBinary.run(command + ["--force", bench.raw, target])
            #expect(forced.succeeded, "\(forced.error)")
            try bench.expectSame(bench.raw, "raw", target, "vmdk")
            #expect(bench.directory.names == names)
        }
    }

    @Test(arguments: ["0", "4k", "1M"])
    func `a sparse size changes what is allocated, never what is read`(size: String) throws {
        let bench = try Workbench(seed: 11)
        let target = bench.file("target.vmdk")
        try bench.dray("convert", "-f", "raw", "-O", "vmdk", "-S", size, bench.raw, target)
        try bench.expectSame(bench.raw, "raw", target, "vmdk")
        if size == "0" { #expect(try Workbench.size(target).allocated >= bench.disk.size) }
    }

    @Test(arguments: [
        ("backing_fmt=raw,backing_file=source.raw", "must be vmdk"),
        ("backing_file=source.raw", "source.raw"), ("backing_fmt=vmdk", "without backing_file"),
        ("hwversion=8,compat6=on", "compat6"), ("hwversion=new", "number"),
        ("adapter_type=scsi", "buslogic"), ("subformat=vmfs", "streamOptimized"),
        ("subformat=monolithicFlat,zeroed_grain=on", "zeroed_grain"),
        ("subformat=twoGbMaxExtentFlat,backing_file=x.vmdk", "backing_file"),
        ("cluster_size=4k", "cluster_size"), ("preallocation=full", "monolithicFlat"),
        ("size=1M", "source's size"), ("backing_file=nbd:host", "colon"),
    ])
    func `what vmdk cannot have is refused by name`(options: String, word: String) throws {
        let bench = try Workbench(seed: 2)
        let target = bench.file("target.vmdk")
        let command = ["convert", "-f", "raw", "-O", "vmdk", "-o", options, bench.raw, target]
        let result = try DrayBinary.run(command)
        #expect(!result.succeeded && result.error.contains(word), "\(options): \(result.error)")
        #expect(bench.directory.names == ["source.raw"])
    }

    @Test func `vmdk images are not written in place, nor under names that they cannot hold`()
        throws
    {
        let bench = try Workbench(seed: 2)
        let target = bench.file("target.vmdk")
        let convert = ["convert", "-f", "raw", "-O", "vmdk"]
        try bench.dray("convert", "-f", "raw", "-O", "vmdk", bench.raw, target)
        let inPlace = try DrayBinary.run(convert + ["-n", bench.raw, target])
        #expect(inPlace.status == 4 && inPlace.error.contains("in place"), "\(inPlace.error)")
        let quoted = try DrayBinary.run(convert + [bench.raw, bench.file("a\"b.vmdk")])
        #expect(quoted.status == 2 && quoted.error.contains("quotes"), "\(quoted.error)")
        #expect(bench.directory.names == ["source.raw", "target.vmdk"])
    }

    @Test(arguments: severalFiles + ["streamOptimized"])
    func `a target in a directory that is not there is told once`(subformat: String) throws {
        let bench = try Workbench(seed: 2, largestSize: 1 << 20)
        let command = ["convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=\(subformat)"]
        let result = try DrayBinary.run(command + [bench.raw, bench.file("none/target.vmdk")])
        #expect(result.status == 1 && result.error.contains("No such file"), "\(result.error)")
        #expect(result.error.split(separator: "\n").count == 1, "\(result.error)")
    }

    @Test func `the same source gives the same bytes, another content another id`() throws {
        let bench = try Workbench(seed: 5)
        let (first, second) = (bench.file("a/disk.vmdk"), bench.file("b/disk.vmdk"))
        try Tool.check(["mkdir", bench.file("a"), bench.file("b")])
        try bench.dray("convert", "-m", "1", "-f", "raw", "-O", "vmdk", bench.raw, first)
        try bench.dray(
            "convert",
            "-m",
            "4",
            "-f",
            "raw",
            "-O",
            "vmdk",
            "--range-size",
            "16M",
            bench.raw,
            second
        )
        let ids = try [first, second].map { try Self.line("CID=", of: $0) }
        #expect(ids[0] == ids[1])
        try Tool.check(["touch", bench.raw])
        try bench.dray("convert", "--force", "-f", "raw", "-O", "vmdk", bench.raw, second)
        #expect(try Self.line("CID=", of: second) != ids[0])
    }

    private func convert(_ bench: Workbench, _ options: String, to target: String) throws {
        let command = ["convert", "-f", "raw", "-O", "vmdk"] + Self.arguments(options)
        let result = try DrayBinary.run(command + [bench.raw, target])
        try #require(result.succeeded, "\(options): \(result.error)")
    }

    private func expectSameIn7Zip(_ raw: String, _ image: String) throws {
        let command = "7zz x -tvmdk -so \"$0\" 2>&1 | cmp - \"$1\""
        let result = try Tool.run(["bash", "-o", "pipefail", "-c", command, image, raw])
        #expect(result.succeeded, "\(result)")
    }

    /// Expects the files whose names begin with `mine` to be no larger in all than those of `theirs`, in length and in space.
    private func expectNoLarger(
        _ bench: Workbench,
        _ mine: String,
        than theirs: String,
        _ seed: UInt64
    ) throws {
        let sizes = try [mine, theirs].map { prefix in
            try bench.directory.names.filter { $0.hasPrefix(prefix) }.map {
                try Workbench.size(bench.file($0))
            }
        }
        let lengths = sizes.map { $0.reduce(0) { $0 + $1.length } }
        let space = sizes.map { $0.reduce(0) { $0 + $1.allocated } }
        #expect(lengths[0] <= lengths[1], "DRAY_SEED=\(seed)")
        #expect(space[0] <= space[1], "DRAY_SEED=\(seed)")
    }

    /// The descriptor's lines but for those that must differ.
    private static func description(_ path: String) throws -> [String] {
        try Tool.check(["strings", "-n", "4", path]).split(separator: "\n").map(String.init)
            .drop { !$0.hasPrefix("# Disk") }.prefix { !$0.isEmpty && $0.utf8.count < 200 }
            .filter { line in
                !["CID=", "encoding=", "RW "].contains { line.hasPrefix($0) }
            }.prefix(12).map { $0 }
    }

    private static func line(_ start: String, of path: String) throws -> String? {
        try Tool.check(["strings", "-n", "4", path]).split(separator: "\n").map(String.init)
            .first { $0.hasPrefix(start) }
    }

    private static func arguments(_ options: String) -> [String] {
        options.isEmpty ? [] : ["-o", options]
    }
}
