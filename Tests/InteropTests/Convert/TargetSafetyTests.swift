// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

/// What happens to the target when things go wrong: nothing that was there is lost, nothing half-made is left.
@Suite struct TargetSafetyTests {
    @Test func `an existing target is kept without force and replaced whole with it`() throws {
        let bench = try Workbench(seed: 4)
        let target = bench.file("target.raw")
        try Tool.check(["qemu-img", "create", "-q", "-f", "raw", target, "1M"])
        let refused = try DrayBinary.run(["convert", "-f", "raw", "-O", "raw", bench.raw, target])
        #expect(refused.status == 5 && refused.error.contains("--force"), "\(refused.error)")
        #expect(try Workbench.size(target).length == 1 << 20)
        try bench.dray("convert", "--force", "-f", "raw", "-O", "raw", bench.raw, target)
        try Tool.check(["cmp", bench.raw, target])
        #expect(bench.directory.names == ["source.raw", "target.raw"])
    }

    @Test(arguments: ["nbd:localhost:10809", "json:{}", "file:out", "rbd:pool"])
    func `a target that qemu-img takes for a protocol is no file, unless a path says so`(
        name: String
    ) throws {
        let bench = try Workbench(seed: 4)
        let script = "cd '\(bench.directory.path)'; '\(DrayBinary.path)' convert -f raw source.raw"
        let refused = try Tool.run(["bash", "-c", "\(script) '\(name)'"])
        #expect(refused.status == 2 && refused.error.contains("protocol"), "\(refused.error)")
        #expect(bench.directory.names == ["source.raw"])
        try Tool.check(["bash", "-c", "\(script) './\(name)'; cmp source.raw './\(name)'"])
    }

    @Test func `a target in place is overwritten and keeps its size`() throws {
        let bench = try Workbench(seed: 4)
        let target = bench.file("target.raw")
        let size = String(bench.disk.size)
        try Tool.check(["qemu-img", "create", "-q", "-f", "raw", target, size])
        try Tool.check(["qemu-io", "-f", "raw", "-c", "write -P 85 0 \(size)", target])
        try bench.dray("convert", "-n", "-f", "raw", "-O", "raw", bench.raw, target)
        try Tool.check(["cmp", bench.raw, target])
        try Tool.check(["truncate", "-s", "-512", target])
        let small = try DrayBinary.run([
            "convert", "-n", "-f", "raw", "-O", "raw", bench.raw, target,
        ])
        #expect(small.status != 0 && small.error.contains("holds"), "\(small.error)")
    }

    @Test func `an existing qcow2 is filled with its own options`() throws {
        let bench = try Workbench(seed: 6)
        let target = bench.file("target.qcow2")
        try Tool.check([
            "qemu-img", "create", "-q", "-f", "qcow2", "-o", "cluster_size=4k,refcount_bits=8",
            target, String(bench.disk.size),
        ])
        try bench.dray("convert", "-n", "-f", "raw", "-O", "qcow2", bench.raw, target)
        try bench.expectClean(target)
        try bench.expectSame(bench.raw, "raw", target, "qcow2")
        let info = try Tool.check(["qemu-img", "info", target])
        #expect(info.contains("cluster_size: 4096") && info.contains("refcount bits: 8"), "\(info)")
    }

    @Test(arguments: ["qemu-img bitmap --add", "qemu-img snapshot -c"])
    func `a qcow2 that holds more than its disk is not filled`(command: String) throws {
        let bench = try Workbench(seed: 6)
        let target = bench.file("target.qcow2")
        let size = String(bench.disk.size)
        try Tool.check(["qemu-img", "create", "-q", "-f", "qcow2", target, size])
        let words = command.split(separator: " ").map(String.init)
        let operands = command.contains("bitmap") ? [target, "more"] : ["more", target]
        try Tool.check(words + operands)
        let result = try DrayBinary.run(
            ["convert", "-n", "-f", "raw", "-O", "qcow2", bench.raw, target]
        )
        #expect(result.status == 4 && result.error.contains("not filled"), "\(result.error)")
    }

    @Test(arguments: ["base.qcow2", "root.qcow2"])
    func `an image does not replace what it stands on`(replaced: String) throws {
        let bench = try Workbench(seed: 6)
        let size = String(bench.disk.size)
        let create = ["qemu-img", "create", "-q", "-f", "qcow2"]
        try Tool.check(create + [bench.file("root.qcow2"), size])
        try Tool.check(
            create + ["-b", bench.file("root.qcow2"), "-F", "qcow2", bench.file("base.qcow2")]
        )
        let before = try Tool.check(["sha256sum", bench.file(replaced)])
        let result = try DrayBinary.run([
            "convert", "--force", "-f", "raw", "-O", "qcow2", "-B", bench.file("base.qcow2"),
            "-F", "qcow2", bench.raw, bench.file(replaced),
        ])
        #expect(result.status == 5 && result.error.contains(replaced), "\(result.error)")
        #expect(try Tool.check(["sha256sum", bench.file(replaced)]) == before)
    }

    @Test func `a source is never its own target`() throws {
        let bench = try Workbench(seed: 4)
        let before = try Tool.check(["sha256sum", bench.raw])
        let result = try DrayBinary.run([
            "convert", "-n", "-f", "raw", "-O", "raw", bench.raw, bench.raw,
        ])
        #expect(result.status != 0, "\(result.error)")
        #expect(try Tool.check(["sha256sum", bench.raw]) == before)
    }

    @Test(arguments: ["raw", "qcow2"])
    func `a full disk is reported and leaves nothing`(format: String) throws {
        let bench = try Workbench(seed: 9, largestSize: 1 << 20)
        let source = bench.file("large.raw")
        try Tool.check(["qemu-img", "create", "-q", "-f", "raw", source, "64M"])
        try Tool.check(["qemu-io", "-f", "raw", "-c", "write -P 1 0 64M", source])
        // A limit on the file's size stands for a full disk: the same path, EFBIG instead of ENOSPC.
        let command =
            "ulimit -f 16384; trap '' XFSZ; exec \"$0\" convert -f raw -O \(format) \"$1\" \"$2\""
        let arguments = [DrayBinary.path, source, bench.file("target")]
        let result = try Tool.run(["bash", "-c", command] + arguments)
        #expect(result.status == 1, "\(result.error)")
        #expect(result.error.contains("target"), "\(result.error)")
        #expect(bench.directory.names == ["large.raw", "source.raw"])
        // A raw target already fails to get its length; a qcow2 fails at some write.
        guard format == "qcow2" else { return }
        #expect(result.error.contains("offset"), "\(result.error)")
        let kept =
            "ulimit -f 16384; trap '' XFSZ; exec \"$0\" convert --keep-partial -f raw -O \(format) \"$1\" \"$2\""
        #expect(try Tool.run(["bash", "-c", kept] + arguments).status == 1)
        #expect(bench.directory.names.contains { $0.hasSuffix(".partial") })
    }

    @Test(.timeLimit(.minutes(15)), arguments: [("HUP", Int32(129)), ("INT", 130), ("TERM", 143)])
    func `a stopped conversion leaves no file`(signal: String, status: Int32) throws {
        let bench = try Workbench(seed: 9, largestSize: 1 << 20)
        let source = bench.file("large.raw")
        try Tool.check(["qemu-img", "create", "-q", "-f", "raw", source, "2G"])
        try Tool.check([
            "qemu-io", "-f", "raw", "-c", "write -P 1 0 1G", "-c", "write -P 2 1G 1G", source,
        ])
        let target = bench.file("target.raw")
        // As soon as the staging file is there the work is under way.
        let script = """
            "$0" convert -f raw -O raw -t writethrough "$1" "$2" & pid=$!
            until compgen -G "$(dirname "$2")/.target*" > /dev/null; do kill -0 $pid || exit 99; done
            kill -\(signal) $pid; wait $pid
            """
        let result = try Tool.run(["bash", "-c", script, DrayBinary.path, source, target])
        #expect(result.status == status, "\(result.status) \(result.error)")
        #expect(bench.directory.names == ["large.raw", "source.raw"])
    }

    @Test func `what is no file or device is refused at once`() throws {
        let bench = try Workbench(seed: 4)
        try Tool.check(["mkfifo", bench.file("fifo")])
        for source in [
            bench.file("fifo"), bench.directory.path, "/dev/zero", bench.file("missing"),
        ] {
            let result = try DrayBinary.run(
                ["convert", "-O", "raw", source, bench.file("out")],
                limitSeconds: 120
            )
            #expect(
                result.status != 0 && result.error.contains(source),
                "\(source): \(result.error)"
            )
        }
        #expect(bench.directory.names == ["fifo", "source.raw"])
    }
}
