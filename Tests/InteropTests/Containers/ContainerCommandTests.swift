// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

/// The commands on images inside compressed streams and archives.
@Suite(.timeLimit(.minutes(15))) struct ContainerCommandTests {
    static let streams = [
        ("gzip", "gzip -c $1 > $2"), ("xz", "xz -0 -T2 --block-size=3MiB -c $1 > $2"),
        ("xz", "xz -0 -T1 -c $1 > $2"), ("zstd", "zstd -q -c $1 > $2"),
    ]

    private func compress(_ bench: Workbench, _ script: String) throws -> String {
        let path = bench.file("source.stream")
        try Tool.check(["sh", "-ec", script, "sh", bench.raw, path])
        return path
    }

    @Test(arguments: streams)
    func `a stream is converted, hashed, compared and described`(
        format: String,
        script: String
    ) throws {
        var generator = SeededGenerator(for: "container commands \(script)")
        let bench = try Workbench(seed: generator.next(), largestSize: 40 << 20)
        let stream = try compress(bench, script)
        for target in ["raw", "qcow2"] {
            let image = bench.file("target.\(target)")
            try bench.dray("convert", "-m", "3", "-O", target, stream, image)
            try bench.expectSame(bench.raw, "raw", image, target)
        }
        try bench.expectClean(bench.file("target.qcow2"))
        try bench.dray("convert", "-f", format, "-c", "-O", "qcow2", stream, bench.file("c.qcow2"))
        try bench.expectSame(bench.raw, "raw", bench.file("c.qcow2"), "qcow2")
        try bench.dray("compare", "-f", "raw", bench.raw, stream)
        let sums = try DrayBinary.run(["checksum", bench.raw, stream]).output.split(separator: "\n")
        #expect(sums.count == 2 && sums[0].prefix(64) == sums[1].prefix(64))
        let info = try DrayBinary.run(["info", "--output", "json", stream])
        #expect(info.output.contains("\"virtual-size\": \(bench.disk.size)"), "\(info)")
        #expect(info.output.contains("\"format\": \"\(format)\""), "\(info)")
        let map = try DrayBinary.run(["map", "--output", "json", stream])
        #expect(map.succeeded && !map.output.contains("offset"), "\(map)")
        try bench.dray("measure", "-O", "qcow2", stream)
    }

    @Test func `a named format is believed`() throws {
        let bench = try Workbench(seed: 3, largestSize: 2 << 20)
        let stream = try compress(bench, "gzip -c $1 > $2; truncate -s %512 $2")
        let copy = bench.file("copy")
        try bench.dray("convert", "-f", "raw", "-O", "raw", stream, copy)
        try Tool.check(["cmp", stream, copy])
        // Below an overlay it is raw, as it is to qemu.
        let overlay = bench.file("overlay.qcow2")
        try Tool.check(
            ["qemu-img", "create", "-q", "-f", "qcow2", "-b", stream, "-F", "raw", overlay]
        )
        try Tool.check([
            "qemu-img", "rebase", "-u", "-f", "qcow2", "-b", stream, "-F", "raw", overlay,
        ])
        try bench.dray("convert", "-O", "raw", overlay, bench.file("flat"))
        try Tool.check(["cmp", stream, bench.file("flat")])
        let wrong = try DrayBinary.run(["info", "-f", "xz", stream])
        #expect(wrong.status == 3 && wrong.error.contains("no xz stream"), "\(wrong)")
        let written = try DrayBinary.run(["convert", "-O", "gzip", bench.raw, bench.file("x")])
        #expect(written.status == 4 && written.error.contains("only read"), "\(written)")
    }

    @Test func `a damaged stream fails before a target is made`() throws {
        let bench = try Workbench(seed: 4, largestSize: 2 << 20)
        let stream = try compress(bench, "gzip -c $1 > $2; truncate -s -3 $2")
        let result = try DrayBinary.run(["convert", "-O", "qcow2", stream, bench.file("t.qcow2")])
        #expect(result.status == 3 && result.error.contains("cut off"), "\(result)")
        #expect(bench.directory.names.sorted() == ["source.raw", "source.stream"])
    }

    @Test func `a killed conversion goes on with its journal`() throws {
        let bench = try Workbench(seed: 5, largestSize: 1 << 20)
        let large = bench.file("large.raw")
        try Tool.check(["qemu-img", "create", "-q", "-f", "raw", large, "160M"])
        try Tool.check(["qemu-io", "-f", "raw", "-c", "write -P 3 0 150M", large])
        let stream = bench.file("large.gz")
        try Tool.check(["sh", "-c", "gzip -1 -c \(large) > \(stream)"])
        let (target, journal) = (bench.file("target"), bench.file("journal"))
        let command = [
            DrayBinary.path, "convert", "-O", "raw", "--journal", journal, stream, target,
        ]
        for _ in 0..<3 {
            let running = try RunningTool(command)
            while bench.directory.names.allSatisfy({ !$0.hasSuffix(".partial") }), running.isRunning
            {}
            running.kill()
            _ = try running.wait()
        }
        try Tool.check(command)
        try bench.expectSame(large, "raw", target, "raw")
    }

    @Test func `an archive's disk is converted, and its manifest believed`() throws {
        let bench = try Workbench(seed: 6, largestSize: 8 << 20)
        let pack = """
            cd \(bench.directory.path)
            qemu-img convert -f raw -O vmdk -o subformat=streamOptimized source.raw disk.vmdk
            qemu-img convert -f raw -O qcow2 source.raw disk.qcow2
            echo '<File id="a" href="disk.vmdk"/><File id="b" href="disk.qcow2"/>' > m.ovf
            echo '<Disk fileRef="a"/><Disk fileRef="b"/>' >> m.ovf
            sha256sum m.ovf disk.vmdk disk.qcow2 | sed 's/\\(.*\\)  \\(.*\\)/SHA256(\\2)= \\1/' > m.mf
            tar -cf good.ova m.ovf m.mf disk.vmdk disk.qcow2
            cp good.ova bad.ova
            place=$(grep -abo "$(printf 'KDMV')" bad.ova | head -1 | cut -d: -f1)
            printf '\\377' | dd of=bad.ova bs=1 seek=$((place + 511)) conv=notrunc status=none
            """
        try Tool.check(["bash", "-ec", pack])
        let (good, bad) = (bench.file("good.ova"), bench.file("bad.ova"))
        for member in ["disk.vmdk", "disk.qcow2"] {
            let target = bench.file("target.raw")
            try bench.dray("convert", "--force", "--member", member, good, target)
            try Tool.check(["cmp", bench.raw, target])
            let info = try DrayBinary.run(["info", "--member", member, good])
            #expect(info.output.contains("archive member: \(member)\n"), "\(info)")
            #expect(info.output.contains("manifest: SHA256, not checked"), "\(info)")
            try bench.dray("compare", "--member", member, "-F", "raw", good, bench.raw)
            try bench.dray("checksum", "--member", member, good)
        }
        let several = try DrayBinary.run(["checksum", good])
        #expect(several.error.contains("disk.vmdk, disk.qcow2"), "\(several)")
        for command in [["checksum"], ["convert", bench.file("never")]] {
            let words = [command[0], "--member", "disk.vmdk", bad] + command.dropFirst()
            let result = try DrayBinary.run(words)
            #expect(result.status == 3, "\(result)")
            #expect(result.error.contains("bad.ova/disk.vmdk: the SHA256 is"), "\(result)")
        }
        #expect(!bench.directory.names.contains { $0.contains("never") })
        // The other disk is whole.
        try bench.dray("checksum", "--member", "disk.qcow2", bad)
    }

    @Test(arguments: [1, 3])
    func `streams with the largest window stay within memory`(count: Int) throws {
        let directory = try TemporaryDirectory()
        let (source, target) = (directory.file("source.zst"), directory.file("target.qcow2"))
        let make = """
            python3 -c "import os, sys
            block = os.urandom(1 << 20)
            for i in range(200): sys.stdout.buffer.write(block[i:] + block[:i])" |
            zstd -q -1 --long=27 -o \(source)
            """
        try Tool.check(["sh", "-ec", make], limitSeconds: 120)
        var sources = [source]
        for number in 1..<count {
            sources.append(directory.file("copy\(number)"))
            try Tool.check(["cp", source, sources[number]])
        }
        let command = [DrayBinary.path, "convert", "-m", "3", "-O", "qcow2"]
        let peak = try PeakMemory.mebibytes(command + sources + [target])
        #expect(peak < 256, "\(peak) MiB")
    }
}
