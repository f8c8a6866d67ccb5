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
}
