// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import DiskImage
import TestSupport
import Testing

/// The numbers of `qemu-img measure`, number for number.
@Suite struct MeasureTests {
    static let options = [
        "", "cluster_size=512", "cluster_size=4k", "cluster_size=2M", "compat=0.10",
        "refcount_bits=1", "refcount_bits=64,cluster_size=1k", "preallocation=metadata",
        "preallocation=falloc", "preallocation=full,cluster_size=2k", "extended_l2=on",
        "extended_l2=on,cluster_size=16k", "lazy_refcounts=on", "compression_type=zstd",
        "backing_file=base.raw,backing_fmt=raw",
    ]

    @Test(
        "a size alone is measured as qemu-img does",
        arguments: options,
        [0, 1, 512, 65_537, 10 << 20, (1 << 30) + 512, 100 << 30, 1 << 40]
    )
    func sizes(options: String, size: UInt64) throws {
        let arguments = ["--size", "\(size)"]
        let theirs = try Self.qemu(arguments, "qcow2", options)
        let meter = Result { () throws(DrayError) in
            try TargetMeter(.qcow2, guestSize: size, options: parse(options), hasSource: false)
        }
        guard let theirs else {
            #expect(throws: DrayError.self) { try meter.get() }
            return
        }
        let ours = try meter.get().measurement()
        #expect([ours.required, ours.fullyAllocated] == theirs)
    }

    @Test(
        "a source is measured as qemu-img does",
        arguments: options,
        SeededGenerator.seeds(3)
    )
    func sources(options: String, seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let disk = ImageDescription.random(using: &generator, largestSize: 4 << 20)
        let directory = try TemporaryDirectory()
        let path = directory.file("source.raw")
        try disk.writeRaw(to: path)
        let theirs = try #require(try Self.qemu(["-f", "raw", path], "qcow2", options))
        var meter = try TargetMeter(
            .qcow2,
            guestSize: disk.size,
            options: parse(options),
            hasSource: true
        )
        for range in try Self.data(path) { meter.addData(range) }
        let ours = meter.measurement()
        #expect([ours.required, ours.fullyAllocated] == theirs, "DRAY_SEED=\(seed)")
    }

    @Test("raw images take their size in whole sectors", arguments: [0, 1000, 512, 3 << 40])
    func raw(size: UInt64) throws {
        let theirs = try #require(try Self.qemu(["--size", "\(size)"], "raw", ""))
        let meter = try TargetMeter(.raw, guestSize: size, options: [], hasSource: false)
        let ours = meter.measurement()
        #expect([ours.required, ours.fullyAllocated] == theirs)
    }

    @Test("bitmaps are counted where the version has them")
    func bitmaps() throws {
        for (options, expected) in [("", UInt64(0)), ("compat=v2", nil)] {
            let meter = try TargetMeter(
                .qcow2,
                guestSize: 1 << 20,
                options: parse(options),
                hasSource: true
            )
            #expect(meter.measurement(bitmaps: 0).bitmaps == expected)
        }
    }

    /// Required and fully allocated size; nil where qemu-img refuses.
    private static func qemu(_ source: [String], _ format: String, _ options: String) throws
        -> [UInt64]?
    {
        var command = ["qemu-img", "measure", "--output=human", "-O", format] + source
        if !options.isEmpty { command += ["-o", options] }
        let result = try Tool.run(command)
        guard result.succeeded else { return nil }
        return result.output.split(separator: "\n")
            .filter { !$0.hasPrefix("bitmaps") }
            .compactMap { $0.split(separator: " ").last.flatMap { UInt64($0) } }
    }

    /// The stretches of a raw file that hold data, as qemu-img sees them.
    private static func data(_ path: String) throws -> [GuestRange] {
        let map = try Tool.check(["qemu-img", "map", "-f", "raw", "--output=json", path])
        return map.split(separator: "\n").compactMap { line in
            guard line.contains("\"data\": true") else { return nil }
            let numbers = line.split { !$0.isNumber }.compactMap { UInt64($0) }
            return GuestRange(GuestOffset(numbers[0]), length: numbers[1])
        }
    }
}
