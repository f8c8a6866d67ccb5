// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

/// However many threads and however large the ranges, a conversion stays under 256 MiB resident.
@Suite struct MemoryTests {
    @Test(arguments: [["-m", "64"], ["-m", "16", "--range-size", "128M"]])
    func `many threads share a bounded number of range buffers`(options: [String]) throws {
        let directory = try TemporaryDirectory()
        let (source, target) = (directory.file("source.raw"), directory.file("target.qcow2"))
        try Tool.check(["qemu-img", "create", "-q", "-f", "raw", source, "768M"])
        try Tool.check(["qemu-io", "-f", "raw", "-c", "write -P 1 0 768M", source])
        let command =
            [DrayBinary.path, "convert"] + options
            + ["-f", "raw", "-O", "qcow2", source, target]
        let peak = try PeakMemory.mebibytes(command)
        #expect(peak < 256, "\(peak) MiB")
    }

    @Test(arguments: [[], ["-c", "-o", "compression_type=zstd,cluster_size=2M"]])
    func `windows of streams, buffers and encoders have one bound together`(options: [String])
        throws
    {
        let directory = try TemporaryDirectory()
        // Windows of 128 MiB, which are full only where more than that is inside.
        let script = """
            cd "$0"
            (seq 1 9999999; head -c 60M /dev/urandom) > raw
            truncate -s 136M raw
            zstd -q -1 --long=27 raw -o a.zst
            cp a.zst b.zst
            gzip -1 -c raw > c.gz
            """
        try Tool.check(["bash", "-ec", script, directory.path])
        let sources = ["a.zst", "raw", "b.zst", "raw", "c.gz"].map(directory.file)
        let command = [DrayBinary.path, "convert", "-m", "16", "-O", "qcow2"] + options
        let peak = try PeakMemory.mebibytes(command + sources + [directory.file("target")])
        #expect(peak < 256, "\(peak) MiB")
    }

    @Test(arguments: [("64M", Int32(0)), ("128M", 2)])
    func `ranges that are too large beside a stream's window are refused`(
        size: String,
        status: Int32
    ) throws {
        let directory = try TemporaryDirectory()
        let (source, target) = (directory.file("source.zst"), directory.file("target.qcow2"))
        // Written to a pipe a stream is of unknown length, and has the window that was asked for.
        try Tool.check(["bash", "-ec", "seq 1 99999 | zstd -q -1 --long=27 > \(source)"])
        let options = ["-O", "qcow2", "--range-size", size]
        let result = try DrayBinary.run(["convert"] + options + [source, target])
        #expect(result.status == status, "\(result)")
        #expect((status == 0) == directory.names.contains("target.qcow2"))
        guard status != 0 else { return }
        #expect(result.error.contains("ranges of 134217728 bytes take"), "\(result)")
        #expect(result.error.contains("decoding the source leaves"), "\(result)")
        #expect(directory.names == ["source.zst"], "nothing is left behind")
    }

    @Test(arguments: ["1", "32"])
    func `what extents need to decode large grains is shared`(workers: String) throws {
        let directory = try TemporaryDirectory()
        // A hundred lines that name one extent with a compressed grain of 8 MiB, which a read of twice its size fetches.
        let script = """
            import struct, sys, zlib
            grain = 16384
            head = struct.pack("<IIIQQQQIQQQB4sH", 0x564D444B, 1, 0x10001, grain, grain, 0, 0, 512, 0, 2, 8,
                0, b"\\n \\r\\n", 1)
            with open(sys.argv[1] + "/part.vmdk", "wb") as file:
                for place, content in [(0, head), (2, struct.pack("<I", 3)), (3, struct.pack("<I", 8)),
                    (8, zlib.compress(bytes([7]) * (grain * 512)))]:
                    file.seek(place * 512)
                    file.write(content)
                file.truncate(20 << 20)
            with open(sys.argv[1] + "/disk.vmdk", "w") as file:
                file.write("# Disk DescriptorFile\\nversion=1\\nCID=1\\nparentCID=ffffffff\\n")
                file.write('createType="custom"\\n' + f'RW {grain} SPARSE "part.vmdk"\\n' * 100)
            """
        try Tool.check(["python3", "-c", script, directory.path])
        let disk = directory.file("disk.vmdk")
        let peak = try PeakMemory.mebibytes([DrayBinary.path, "checksum", "-m", workers, disk])
        #expect(peak < 256, "\(peak) MiB")
    }

    @Test func `the largest L1 tables are mapped without being kept`() throws {
        let directory = try TemporaryDirectory()
        // Ten tables of 30 MiB each, with data in their first, second and last pages and in between.
        let script = """
            cd "$0"
            qemu-img create -q -f qcow2 -o cluster_size=512 0.qcow2 120G
            for place in 0 1 33 34 40000 79999 122879; do echo "write -q -P 7 ${place}M 64k"; done |
                qemu-io -f qcow2 0.qcow2 > /dev/null
            for layer in {1..9}; do
                cp 0.qcow2 $layer.qcow2
                qemu-img rebase -u -b $((layer - 1)).qcow2 -F qcow2 $layer.qcow2
            done
            """
        try Tool.check(["bash", "-ec", script, directory.path])
        let top = directory.file("9.qcow2")
        for command in ["checksum", "map", "info"] {
            let peak = try PeakMemory.mebibytes([DrayBinary.path, command, top])
            #expect(peak < 128, "\(command): \(peak) MiB")
        }
        let map = try DrayBinary.run(["map", "--output", "json", top])
        let other = try Tool.run(["qemu-img", "map", "--output", "json", top])
        #expect(map.succeeded && map.output == other.output)
    }

    @Test(arguments: ["checksum", "map"])
    func `the layers of a chain share what is kept of their maps and streams`(command: String)
        throws
    {
        let directory = try TemporaryDirectory()
        // Each layer has an L2 table of 2 MiB and, of its own, one compressed cluster.
        let script = """
            cd "$0"
            for layer in {0..119}; do
                qemu-img create -q -f qcow2 -o cluster_size=2M $layer.qcow2 240M
                qemu-io -f qcow2 -c "write -q -c -P $((layer + 1)) $((layer * 2))M 2M" $layer.qcow2
                [ $layer = 0 ] || qemu-img rebase -u -b $((layer - 1)).qcow2 -F qcow2 $layer.qcow2
            done
            """
        try Tool.check(["bash", "-ec", script, directory.path])
        let output = command == "map" ? ["--output", "json"] : []
        let words = [DrayBinary.path, command] + output + [directory.file("119.qcow2")]
        let peak = try PeakMemory.mebibytes(words)
        #expect(peak < 256, "\(peak) MiB")
    }

    @Test(.timeLimit(.minutes(15)))
    func `encoders and decoders of large clusters are bounded, however many threads there are`()
        throws
    {
        let directory = try TemporaryDirectory()
        let source = directory.file("source.raw")
        let fill =
            "seq 1 9999999; head -c 100M /dev/urandom; seq 1 9999999; head -c 100M /dev/urandom"
        try Tool.check(["bash", "-c", "(\(fill)) > \(source)"])
        var from = source
        for options in [
            ["-c", "-o", "compression_type=zstd,cluster_size=2M"],
            ["--compression=small", "-o", "compression_type=zstd,cluster_size=2M"],
            ["-c", "-o", "compression_type=zlib,cluster_size=2M", "--range-size", "32M"],
        ] {
            let target = directory.file("target\(options.count)\(options[0])")
            let command = [DrayBinary.path, "convert", "-m", "32", "-O", "qcow2"] + options
            let peak = try PeakMemory.mebibytes(command + [from, target])
            #expect(peak < 256, "\(peak) MiB with \(options)")
            from = target
        }
    }
}
