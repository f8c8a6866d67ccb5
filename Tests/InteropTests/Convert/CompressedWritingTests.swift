// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

/// Compressed targets: what qemu-img and 7-Zip read of them.
@Suite(.timeLimit(.minutes(15)))
struct CompressedWritingTests {
    /// Makes a raw disk of clusters that compressors treat differently: one byte over and over, matches at every distance up to the
    /// cluster's size, noise, text, noise with a tail of zeros, and zeros.
    private static func write(_ path: String, seed: UInt64, mebibytes: Int = 24) throws {
        let script = """
            import random
            r = random.Random(\(seed)); out = open('\(path)', 'wb'); size = \(mebibytes) << 20; pos = 0
            words = [bytes(r.randrange(97, 123) for _ in range(r.randrange(2, 11))) for _ in range(500)]
            while pos < size:
                n = min(r.choice([512, 4096, 65536, 65536, 65536, 1 << 18]), size - pos); kind = r.randrange(7)
                if kind == 0: part = bytes([r.randrange(1, 256)]) * n
                elif kind == 1:
                    d = r.choice([1, 2, 3, 258, 4095, 4096, 4097, 8192, 32767, 32768, 32769, 65000])
                    seedpart = r.randbytes(d); part = (seedpart * (n // d + 1))[:n]
                elif kind == 2: part = r.randbytes(n)
                elif kind == 3: part = b' '.join(r.choices(words, k=n // 3 + 1))[:n]
                elif kind == 4: part = r.randbytes(n - n // 8) + bytes(n // 8)
                elif kind == 5: part = bytes(n)
                else:
                    head = r.randbytes(64); gap = r.randrange(1, max(2, n)); part = (head + bytes(gap) + head + r.randbytes(n))[:n]
                out.write(part); pos += n
            """
        try Tool.check(["python3", "-c", script])
    }

    private static let options: [String] = [
        "compression_type=zlib", "compression_type=zstd", "cluster_size=512",
        "cluster_size=4k,compression_type=zstd", "cluster_size=2M", "compat=0.10",
        "cluster_size=2M,compression_type=zstd,refcount_bits=64",
        "cluster_size=64k,extended_l2=on,refcount_bits=32", "cluster_size=16k", "refcount_bits=1",
        "refcount_bits=2,cluster_size=2M", "refcount_bits=4,cluster_size=1k,compression_type=zstd",
        "refcount_bits=8,cluster_size=512", "refcount_bits=4,cluster_size=2M",
    ]

    @Test(arguments: options, SeededGenerator.seeds(2))
    func `qemu-img reads what was compressed, finds nothing wrong and makes it no smaller`(
        options: String,
        seed: UInt64
    ) throws {
        let bench = try Workbench(seed: seed, largestSize: 512)
        let source = bench.file("mixed.raw")
        let image = bench.file("image.qcow2")
        try Self.write(source, seed: seed)
        try bench.dray("convert", "-c", "-f", "raw", "-O", "qcow2", "-o", options, source, image)
        try bench.expectClean(image)
        try bench.expectSame(source, "raw", image, "qcow2")
        let theirs = bench.file("qemu.qcow2")
        try Tool.check([
            "qemu-img", "convert", "-c", "-f", "raw", "-O", "qcow2", "-o", options, source, theirs,
        ])
        let (ours, qemu) = (try Workbench.size(image), try Workbench.size(theirs))
        #expect(ours.length <= qemu.length, "DRAY_SEED=\(seed)")
        #expect(ours.allocated <= qemu.allocated, "DRAY_SEED=\(seed)")
        let back = bench.file("back.raw")
        try bench.dray("convert", "-O", "raw", image, back)
        try bench.expectSame(source, "raw", back, "raw")
    }

    @Test(arguments: ["--compression=fast", "--compression=small", "--compression-level=12"])
    func `every effort gives an image that reads the same`(effort: String) throws {
        let bench = try Workbench(seed: 3, largestSize: 512)
        let source = bench.file("mixed.raw")
        try Self.write(source, seed: 3, mebibytes: 9)
        for type in ["zlib", "zstd"] {
            let image = bench.file("\(type).qcow2")
            let options = "compression_type=\(type)"
            try bench.dray("convert", effort, "-O", "qcow2", "-o", options, source, image)
            try bench.expectClean(image)
            try bench.expectSame(source, "raw", image, "qcow2")
        }
    }

    @Test(.enabled(if: Tool.isInstalled("7zz"), "7-Zip is not there"))
    func `a second reader finds the same bytes`() throws {
        let bench = try Workbench(seed: 5, largestSize: 512)
        let source = bench.file("mixed.raw")
        let image = bench.file("image.qcow2")
        try Self.write(source, seed: 5)
        try bench.dray("convert", "-c", "-O", "qcow2", source, image)
        let command = "7zz x -so -tqcow '\(image)' | cmp - '\(source)'"
        let result = try Tool.run(["bash", "-o", "pipefail", "-c", command])
        #expect(result.succeeded, "\(result.output)\(result.error)")
    }

    @Test(arguments: options)
    func `a reader that knows nothing of us finds the same bytes`(options: String) throws {
        let bench = try Workbench(seed: 6, largestSize: 512)
        let source = bench.file("mixed.raw")
        let image = bench.file("image.qcow2")
        try Self.write(source, seed: 6, mebibytes: 6)
        try bench.dray("convert", "-c", "-f", "raw", "-O", "qcow2", "-o", options, source, image)
        let found = try Tool.check(["python3", "-c", SecondReader.script, image]).split(
            whereSeparator: \.isWhitespace
        )
        let expected = try Tool.check(["sha256sum", source]).prefix { $0 != " " }
        #expect(found.first == expected, "\(options): \(found)")
        let hasPlain = !options.contains("2M")
        #expect(found.count == 4 && found[1] != "0", "\(options): \(found)")
        #expect(found[2] != "0" || !hasPlain, "\(options): \(found)")
    }

    @Test(arguments: SeededGenerator.seeds(2))
    func `the bytes do not depend on threads, nor on whether a journal was kept`(
        seed: UInt64
    ) throws {
        let bench = try Workbench(seed: seed, largestSize: 512)
        let source = bench.file("mixed.raw")
        try Self.write(source, seed: seed, mebibytes: 60)
        var images: [String] = []
        for (number, more) in [
            ["-m", "1"], ["-m", "2"], ["-m", "7"], ["--journal", bench.file("log")],
        ].enumerated() {
            images.append(bench.file("\(number).qcow2"))
            let words = ["convert", "-c", "--range-size", "4M", "-O", "qcow2"] + more
            let result = try DrayBinary.run(words + [source, images[number]])
            #expect(result.succeeded, "\(result.error)")
        }
        for image in images.dropFirst() {
            #expect(try Tool.run(["cmp", images[0], image]).succeeded, "DRAY_SEED=\(seed)")
        }
    }

    @Test func `zeros, holes and a backing file stay what they are`() throws {
        let bench = try Workbench(seed: 8)
        let base = bench.file("base.raw")
        try Self.write(base, seed: 8, mebibytes: 12)
        let image = bench.file("image.qcow2")
        let words = ["-O", "qcow2", "-B", base, "-F", "raw"]
        let result = try DrayBinary.run(["convert", "-c"] + words + [bench.raw, image])
        #expect(result.succeeded, "\(result.error)")
        try bench.expectClean(image)
        try bench.expectSame(bench.raw, "raw", image, "qcow2")
        let full = bench.file("full.qcow2")
        try bench.dray("convert", "-c", "-S", "0", "-O", "qcow2", bench.raw, full)
        try bench.expectClean(full)
        try bench.expectSame(bench.raw, "raw", full, "qcow2")
    }

    @Test(arguments: [
        (["-O", "raw"], 2, "compressed"),
        (["-O", "qcow2", "-o", "preallocation=metadata"], 2, "preallocation"),
        (["-O", "qcow2", "--compression-level", "13"], 2, "1 to 12"),
        (["-O", "qcow2", "--compression-level", "3", "--compression", "fast"], 2, "contradict"),
        (["-O", "qcow2", "--compression-level", "x"], 2, "level"),
    ])
    func `what makes no sense is refused`(_ words: [String], _ status: Int32, _ part: String) throws
    {
        let bench = try Workbench(seed: 1, largestSize: 1 << 20)
        let arguments = ["convert", "-c"] + words + [bench.raw, bench.file("t")]
        let result = try DrayBinary.run(arguments)
        #expect(result.status == status && result.error.contains(part), "\(result)")
    }
}
