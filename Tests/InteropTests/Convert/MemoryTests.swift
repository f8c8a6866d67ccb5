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
        // getrusage(2) keeps the largest resident set of the children that have ended.
        let script = """
            import resource, subprocess, sys
            status = subprocess.call(sys.argv[1:])
            print(status, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
            """
        let command =
            [DrayBinary.path, "convert"] + options
            + ["-f", "raw", "-O", "qcow2", source, target]
        let output = try Tool.check(["python3", "-c", script] + command)
        let words = output.split { $0 == " " || $0 == "\n" }.compactMap { Int($0) }
        try #require(words.count == 2)
        #expect(words[0] == 0)
        #expect(words[1] < 256, "\(words[1]) MiB")
    }

    @Test func `what extents need to decode large grains is shared`() throws {
        let directory = try TemporaryDirectory()
        // A hundred lines that name one extent with a compressed grain of 8 MiB, which a read of twice its size fetches.
        let script = """
            import resource, struct, subprocess, sys, zlib
            grain = 16384
            head = struct.pack("<IIIQQQQIQQQB4sH", 0x564D444B, 1, 0x10001, grain, grain, 0, 0, 512, 0, 2, 8,
                0, b"\\n \\r\\n", 1)
            with open(sys.argv[2] + "/part.vmdk", "wb") as file:
                for place, content in [(0, head), (2, struct.pack("<I", 3)), (3, struct.pack("<I", 8)),
                    (8, zlib.compress(bytes([7]) * (grain * 512)))]:
                    file.seek(place * 512)
                    file.write(content)
                file.truncate(20 << 20)
            with open(sys.argv[2] + "/disk.vmdk", "w") as file:
                file.write("# Disk DescriptorFile\\nversion=1\\nCID=1\\nparentCID=ffffffff\\n")
                file.write('createType="custom"\\n' + f'RW {grain} SPARSE "part.vmdk"\\n' * 100)
            status = subprocess.call([sys.argv[1], "checksum", sys.argv[2] + "/disk.vmdk"],
                stdout=subprocess.DEVNULL)
            print(status, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
            """
        let output = try Tool.check(["python3", "-c", script, DrayBinary.path, directory.path])
        let words = output.split { $0 == " " || $0 == "\n" }.compactMap { Int($0) }
        try #require(words.count == 2)
        #expect(words[0] == 0)
        #expect(words[1] < 256, "\(words[1]) MiB")
    }
}
