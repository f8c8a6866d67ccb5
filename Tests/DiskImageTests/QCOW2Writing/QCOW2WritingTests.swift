// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import DiskImage
import Storage
import TestSupport
import Testing

/// Images that are written by us and judged by qemu-img.
@Suite struct QCOW2WritingTests {
    static let sizes = ["512", "1k", "2k", "4k", "16k", "64k", "2M"]

    @Test(
        "every cluster size and refcount width makes a sound image of the right content",
        .timeLimit(.minutes(15)),
        arguments: sizes,
        ["refcount_bits=1", "refcount_bits=2", "refcount_bits=8", "refcount_bits=64", "compat=v2"]
    )
    func clusterSizesAndRefcounts(size: String, option: String) throws {
        let top = Self.disk(seed: 7, size: 3 << 20)
        let image = try WrittenImage(top, options: "cluster_size=\(size),\(option)")
        try image.expectSound("cluster_size=\(size),\(option)")
    }

    @Test(
        "random disks with random options are written right, as they are and compressed",
        .timeLimit(.minutes(15)),
        arguments: SeededGenerator.seeds(24),
        [false, true]
    )
    func randomDisks(seed: UInt64, isCompressed: Bool) throws {
        var generator = SeededGenerator(seed: seed)
        let top = ImageDescription.random(using: &generator, largestSize: 4 << 20, sizeUnit: 1)
        let hasBase = Bool.random(using: &generator)
        let base = ImageDescription.random(using: &generator, largestSize: 4 << 20)
        let options =
            isCompressed
            ? Self.randomCompression(hasBase: hasBase, &generator)
            : Self.randomOptions(hasBase: hasBase, &generator)
        let comment: Comment = "DRAY_SEED=\(seed) \(options)"
        let image = try WrittenImage(
            top,
            on: hasBase ? base : nil,
            options: options,
            compression: isCompressed ? .fast : nil,
            seed: seed
        )
        try image.expectSound(comment)
        let driver = try ImageOpener(gate: DirectoryGate()).open(path: image.path)
        let reader = try QCOW2Workshop.content(
            of: driver.layers[0],
            below: hasBase ? base.bytes : []
        )
        #expect(reader == (try ImageFile.read(image.reference)), comment)
    }

    private static func randomCompression(
        hasBase: Bool,
        _ generator: inout SeededGenerator
    ) -> String {
        let extended = Int.random(in: 0..<3, using: &generator) == 0
        let sizes = extended ? ["16k", "64k", "2M"] : sizes
        var options = "cluster_size=" + (sizes.randomElement(using: &generator) ?? "64k")
        if extended { options += ",extended_l2=on" }
        if hasBase { options += ",backing_file=base.raw,backing_fmt=raw" }
        if !extended && Int.random(in: 0..<4, using: &generator) == 0 {
            return options + ",compat=0.10"
        }
        let type = Bool.random(using: &generator) ? "zlib" : "zstd"
        let bits = 1 << Int.random(in: 0...6, using: &generator)
        return options + ",compression_type=\(type),refcount_bits=\(bits)"
    }

    private static func randomOptions(
        hasBase: Bool,
        _ generator: inout SeededGenerator
    ) -> String {
        let extended = Int.random(in: 0..<3, using: &generator) == 0
        var options = extended ? "extended_l2=on" : ""
        let sizes = extended ? ["16k", "64k", "2M"] : sizes
        options += ",cluster_size=" + (sizes.randomElement(using: &generator) ?? "64k")
        if hasBase { options += ",backing_file=base.raw,backing_fmt=raw" }
        if !hasBase || extended {
            let modes = ["off", "off", "metadata", "falloc", "full"]
            options += ",preallocation=" + (modes.randomElement(using: &generator) ?? "off")
        }
        if !extended && Bool.random(using: &generator) { return options + ",compat=0.10" }
        let bits = 1 << Int.random(in: 0...6, using: &generator)
        return options + ",refcount_bits=\(bits),lazy_refcounts=on"
    }

    private static func disk(seed: UInt64, size: UInt64) -> ImageDescription {
        var generator = SeededGenerator(seed: seed)
        while true {
            let disk = ImageDescription.random(using: &generator, largestSize: size)
            if disk.size > size / 2 { return disk }
        }
    }
}
