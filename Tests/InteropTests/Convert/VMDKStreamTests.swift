// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

/// Stream-optimized VMDK images: read from their start to their end, made in parallel, and the same however they are made.
@Suite struct VMDKStreamTests {
    /// Rebuilds the disk as a reader does that cannot go back: grain by grain, as the markers tell, and checks what the tables say against
    /// what went by.
    private static let reader = """
        import struct, sys, zlib
        f = open(sys.argv[1], 'rb'); out = open(sys.argv[2], 'wb')
        head = f.read(512)
        assert head[:4] == b'KDMV' and head[56:64] == b'\\xff' * 8, 'header'
        version, flags, capacity, grain = struct.unpack('<IIQQ', head[4:28])
        overhead, = struct.unpack('<Q', head[64:72])
        assert (version, flags & 0x30003, grain) == (3, 0x30001, 128), (version, flags)
        out.truncate(capacity * 512)
        f.seek(overhead * 512)
        place, last, grains, tables, directory, footer = overhead, -1, {}, [], None, None
        pending = []
        while True:
            sector = f.read(512)
            assert len(sector) == 512, 'the stream ends early'
            value, size, kind = struct.unpack('<QII', sector[:16])
            at, place = place, place + 1
            if size:
                more = (12 + size + 511) // 512 - 1
                data = (sector + f.read(more * 512))[12:]
                place += more
                assert not any(data[size:]), 'padding'
                assert value > last and value % grain == 0, 'order'
                last = value
                content = zlib.decompress(data[:size])
                assert len(content) == 65536, 'grain'
                keep = min(65536, (capacity - value) * 512)
                assert not any(content[keep:]), 'behind the end'
                out.seek(value * 512); out.write(content[:keep])
                pending.append((value // grain, at))
                continue
            data = f.read(value * 512); place += value
            if kind == 0: break
            if kind == 1:
                table = struct.unpack('<512I', data)
                first = pending[0][0] // 512 * 512
                assert [x for x in table if x] == [x[1] for x in pending], 'table'
                assert all(table[i - first] == x for i, x in pending), 'table'
                tables.append((first // 512, at + 1)); pending = []
            if kind == 2:
                entries = struct.unpack('<%dI' % (len(data) // 4), data)
                assert {i: x for i, x in enumerate(entries) if x} == dict(tables), 'directory'
                directory = at + 1
            if kind == 3: footer = data
        assert not pending and not f.read(1), 'something follows'
        assert struct.unpack('<Q', footer[56:64])[0] == directory, 'footer'
        assert footer[:56] == head[:56] and footer[64:] == head[64:], 'footer'
        """

    /// Expects a reader that goes once from start to end to get the disk.
    private func expectStream(_ bench: Workbench, _ target: String, is raw: String) throws {
        let copy = bench.file("streamed.raw")
        let result = try Tool.run(["python3", "-c", Self.reader, target, copy])
        try #require(result.succeeded, "\(result.error)")
        try Tool.check(["cmp", raw, copy])
        try Tool.check(["rm", copy])
    }

    private func convert(_ more: [String], _ source: String, _ target: String) throws {
        let command = ["convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=streamOptimized"]
        let result = try DrayBinary.run(command + more + [source, target])
        try #require(result.succeeded, "\(more): \(result.error)")
    }

    @Test func `a reader that cannot go back gets the disk`() throws {
        for seed in SeededGenerator.seeds(4) {
            let bench = try Workbench(seed: seed, largestSize: 150 << 20)
            let target = bench.file("target.vmdk")
            try convert([], bench.raw, target)
            try expectStream(bench, target, is: bench.raw)
        }
    }

    @Test func `data far apart takes a table for each place and nothing between`() throws {
        let bench = try Workbench(seed: 1, largestSize: 1 << 20)
        let (source, target) = (bench.file("far.raw"), bench.file("far.vmdk"))
        try Tool.check(["truncate", "-s", String((1 << 30) + 512), source])
        try Tool.check([
            "qemu-io", "-f", "raw", "-c", "write -P 7 33M 1k", "-c", "write -P 8 700M 64k", "-c",
            "write -P 9 1G 512", source,
        ])
        try convert([], source, target)
        #expect(try Workbench.size(target).length < 32 << 10)
        try expectStream(bench, target, is: source)
        try bench.dray("compare", "-f", "raw", "-F", "vmdk", source, target)
        try bench.expectSame(source, "raw", target, "vmdk")
        try bench.expectClean(target, "vmdk")
    }

    @Test(arguments: [
        [], ["-m", "1"], ["-m", "7"], ["-t", "none"], ["--journal", "journal"],
        ["--range-size", "32M"],
    ])
    func `the same source gives the same bytes, however it is done`(arguments: [String]) throws {
        let bench = try Workbench(seed: 21, largestSize: 200 << 20)
        try Tool.check(["mkdir", bench.file("a"), bench.file("b")])
        let (first, second) = (bench.file("a/disk.vmdk"), bench.file("b/disk.vmdk"))
        try convert([], bench.raw, first)
        let more = arguments.map { $0 == "journal" ? bench.file($0) : $0 }
        try convert(more, bench.raw, second)
        try Tool.check(["cmp", first, second])
    }

    @Test func `an effort changes the size, never the content`() throws {
        let bench = try Workbench(seed: 21, largestSize: 1 << 20)
        let source = bench.file("text.raw")
        // Text, of which the balanced effort takes as much as the one for size, and numbers, of which it does not.
        let script = """
            import random, sys
            r = random.Random(1); number = 0; out = sys.stdout.buffer
            for i in range(400000): out.write(b'%d word %d\\n' % (i * i, i))
            for i in range(500000): number += r.randrange(100); out.write(number.to_bytes(8, 'little'))
            """
        try Tool.check(["bash", "-c", "python3 -c \"$0\" > \"$1\"", script, source])
        try Tool.check(["truncate", "-s", "%512", source])
        var sizes: [UInt64] = []
        for effort in ["fast", "balanced", "small"] {
            let target = bench.file("\(effort).vmdk")
            try convert(["--compression", effort], source, target)
            try bench.expectSame(source, "raw", target, "vmdk")
            try expectStream(bench, target, is: source)
            sizes.append(try Workbench.size(target).length)
        }
        #expect(sizes[0] > sizes[1] && sizes[1] > sizes[2], "\(sizes)")
        try convert(["-c"], source, bench.file("plain.vmdk"))
        #expect(try Workbench.size(bench.file("plain.vmdk")).length == sizes[1])
    }

    @Test(arguments: SeededGenerator.seeds(2))
    func `lines that differ in a word become no larger than qemu-img makes them`(seed: UInt64)
        throws
    {
        let bench = try Workbench(seed: seed, largestSize: 1 << 20)
        let (source, target) = (bench.file("lines.raw"), bench.file("lines.vmdk"))
        // Nothing needs a higher level more: each line has many that match it a little.
        let script = """
            import random
            r = random.Random(\(seed)); out = bytearray()
            words = [bytes(r.randrange(97, 123) for _ in range(r.randrange(2, 9))) for _ in range(30)]
            lines = [r.choices(words, k=r.randrange(4, 30)) for _ in range(400)]
            while len(out) < 4 << 20:
                line = list(r.choice(lines)); line[r.randrange(len(line))] = r.choice(words)
                out += b' '.join(line) + b'\\n'
            open('\(source)', 'wb').write(out[:4 << 20])
            """
        try Tool.check(["python3", "-c", script])
        try convert([], source, target)
        let theirs = bench.file("qemu.vmdk")
        try Tool.check([
            "qemu-img", "convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=streamOptimized",
            source, theirs,
        ])
        let (ours, qemu) = (try Workbench.size(target).length, try Workbench.size(theirs).length)
        #expect(ours <= qemu, "DRAY_SEED=\(seed)")
        try bench.expectSame(source, "raw", target, "vmdk")
    }

    @Test(arguments: [
        (["--range-size", "16M"], "range size"), (["--compression-level", "13"], "13"),
        (["-o", "subformat=monolithicSparse", "-c"], "streamOptimized"),
        (["-o", "preallocation=full"], "preallocation"),
    ])
    func `what a stream cannot have is refused by name`(more: [String], word: String) throws {
        let bench = try Workbench(seed: 21, largestSize: 1 << 20)
        let command = ["convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=streamOptimized"]
        let result = try DrayBinary.run(command + more + [bench.raw, bench.file("x.vmdk")])
        #expect(!result.succeeded && result.error.contains(word), "\(result.error)")
        #expect(bench.directory.names == ["source.raw"])
    }
}
