// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import DiskImage
import Storage
import TestSupport
import Testing

/// Our images beside those that qemu-img convert makes of the same source with the same options.
@Suite struct QemuComparisonTests {
    static let options = [
        "", "compat=0.10", "compat=v3", "cluster_size=512", "cluster_size=4k", "cluster_size=2M",
        "refcount_bits=1", "refcount_bits=64", "lazy_refcounts=on", "extended_l2=on",
        "extended_l2=on,cluster_size=16k", "compression_type=zstd",
        "preallocation=metadata", "preallocation=falloc", "preallocation=full",
        "preallocation=metadata,compat=v2", "preallocation=falloc,cluster_size=1k",
        "preallocation=metadata,extended_l2=on", "preallocation=full,extended_l2=on",
    ]
    static let backed = [
        "", "compat=v2", "cluster_size=1k", "extended_l2=on",
        "extended_l2=on,preallocation=metadata", "extended_l2=on,preallocation=falloc",
        "extended_l2=on,preallocation=full",
    ]

    /// Data in whole clusters of every size, so that both tools see the same zeros, but for one sector at the end.
    static let disk = ImageDescription(
        size: (12 << 20) + 512,
        stretches: [
            .init(start: 0, length: 2 << 20, content: .data(seed: 1)),
            .init(start: 4 << 20, length: 2 << 20, content: .data(seed: 2)),
            .init(start: 12 << 20, length: 512, content: .data(seed: 3)),
        ]
    )
    static let empty = ImageDescription(size: 12 << 20, stretches: [])

    @Test(
        "info, check and map say the same, and the file is no larger",
        .timeLimit(.minutes(15)),
        arguments: options
    )
    func likeQemu(options: String) throws {
        try Self.compare(Self.disk, options: options)
    }

    @Test("an empty disk takes no more than in qemu's image", arguments: options)
    func emptyDisk(options: String) throws {
        try Self.compare(Self.empty, options: options)
    }

    @Test(
        "with a backing image, too",
        .timeLimit(.minutes(15)),
        arguments: backed
    )
    func onBackingImage(options: String) throws {
        // qemu-img convert writes zeros for whatever its source lacks: so does this disk.
        let zeros: [ImageDescription.Stretch] = [
            .init(start: 2 << 20, length: 2 << 20, content: .zeros),
            .init(start: 6 << 20, length: 6 << 20, content: .zeros),
        ]
        let all = (Self.disk.stretches + zeros).sorted { $0.start < $1.start }
        let base = ImageDescription(
            size: 8 << 20,
            stretches: [.init(start: 0, length: 5 << 20, content: .data(seed: 9))]
        )
        let backing = "backing_file=base.raw,backing_fmt=raw"
        try Self.compare(
            ImageDescription(size: Self.disk.size, stretches: all),
            on: base,
            options: options.isEmpty ? backing : "\(backing),\(options)"
        )
    }

    private static func compare(
        _ disk: ImageDescription,
        on base: ImageDescription? = nil,
        options: String
    ) throws {
        let image = try WrittenImage(disk, on: base, options: options)
        try image.expectSound("\(options)")
        let theirs = image.directory.file("theirs")
        let source = image.directory.file("reference.raw")
        var command = ["qemu-img", "convert", "-f", "raw", "-O", "qcow2"]
        if !options.isEmpty { command += ["-o", options] }
        try Tool.check(command + [source, theirs])

        #expect(try info(image.path) == info(theirs), "info with \(options)")
        #expect(try check(image.path) == check(theirs), "check with \(options)")
        // Where zeros are stored, ours take no space: qemu tells.
        let isSparser = base != nil && options.contains("compat=v2")
        #expect(try isSparser || map(image.path) == map(theirs), "map with \(options)")
        let (ours, limit) = (try WrittenImage.usage(image.path), try WrittenImage.usage(theirs))
        #expect(ours.length <= limit.length, "length with \(options)")
        // A file system may need a page of its own for the list of a file's extents.
        #expect(ours.allocated <= limit.allocated + 4096, "allocated with \(options)")
    }

    /// The lines of info but for the names and the space, which is compared as a number.
    private static func info(_ path: String) throws -> [Substring] {
        try Tool.check(["qemu-img", "info", "--output=json", path]).split(separator: "\n")
            .filter { !$0.contains("\"filename\"") && !$0.contains("actual-size") }
    }

    /// How much is allocated and compressed; fragmentation is a matter of order, and the end of length.
    private static func check(_ path: String) throws -> [Substring] {
        try Tool.check(["qemu-img", "check", path]).split(separator: "\n")
            .filter { !$0.hasPrefix("Image end") }
            .flatMap { $0.split(separator: ",").filter { !$0.contains("fragmented") } }
    }

    /// The map without host offsets: runs that differ only there are one.
    private static func map(_ path: String) throws -> [String] {
        var runs: [String] = []
        for line in try Tool.check(["qemu-img", "map", "--output=json", path])
            .split(separator: "\n")
        {
            let numbers = line.split { !$0.isNumber }.compactMap { Int($0) }
            guard numbers.count >= 3 else { continue }
            let state = ["present", "zero", "data"].map { line.contains("\"\($0)\": true") }
            let text = "depth \(numbers[2]) \(state)"
            if runs.last?.hasSuffix(text) == true { continue }
            runs.append("\(numbers[0]) \(text)")
        }
        return runs
    }
}
