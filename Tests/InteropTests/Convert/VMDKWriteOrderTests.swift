// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

/// How VMDK files are written, as strace sees it.
@Suite(.enabled(if: Tool.isInstalled("strace"), "strace shows what is written"))
struct VMDKWriteOrderTests {
    /// Reads a trace, and fails where a byte of a file was written twice, where a file got its length more than once, or where something was
    /// written behind the header, which makes an image of the file. Prints the number of writes.
    private static let judge = """
        import re, sys
        call = re.compile(r'(pwrite64|pwritev2?|ftruncate|fallocate|copy_file_range)\\((\\d+)<([^>]*)>, ?(.*)\\) += (\\d+)')
        written, lengths, total = {}, {}, 0
        for line in open(sys.argv[1]):
            match = call.search(line)
            if not match or 'target' not in match[3]: continue
            name, path, words, result = match[1], match[3], match[4], int(match[5])
            if name == 'ftruncate':
                lengths[path] = lengths.get(path, 0) + 1
                continue
            assert name == 'pwrite64', line
            start = int(words.rsplit(', ', 1)[1])
            written.setdefault(path, []).append((start, start + result))
            total += 1
        for path, ranges in written.items():
            ordered = sorted(ranges)
            for one, other in zip(ordered, ordered[1:]):
                assert one[1] <= other[0], (path, one, other)
            assert ranges[-1][0] == 0, (path, 'the header comes last', ranges[-1])
            assert lengths.get(path, 0) <= 1, (path, lengths[path])
        print(total)
        """

    @Test(arguments: [
        "monolithicSparse", "monolithicSparse,zeroed_grain=on", "twoGbMaxExtentSparse",
        "streamOptimized",
    ])
    func `every byte is written once, a length is set once, and the header comes last`(
        subformat: String
    ) throws {
        let bench = try Workbench(seed: 31, largestSize: 96 << 20)
        let trace = bench.file("trace")
        let words = "trace=pwrite64,pwritev,pwritev2,ftruncate,fallocate,copy_file_range"
        try Tool.check(
            ["strace", "-f", "-y", "-qq", "-s", "0", "-o", trace, "-e", words, DrayBinary.path]
                + ["convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=\(subformat)"]
                + [bench.raw, bench.file("target.vmdk")]
        )
        let judged = try Tool.run(["python3", "-c", Self.judge, trace])
        #expect(judged.succeeded, "\(judged.error)")
        let writes = Int(judged.output.prefix { $0 != "\n" }) ?? 0
        #expect(writes > 3, "\(writes) writes were seen")
        try bench.expectSame(bench.raw, "raw", bench.file("target.vmdk"), "vmdk")
    }
}
