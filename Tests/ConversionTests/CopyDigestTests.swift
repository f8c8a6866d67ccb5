// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Conversion
internal import DiskImage
internal import Fleet
internal import TestSupport
internal import Testing

@Suite(.timeLimit(.minutes(15)))
struct CopyDigestTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func digest(_ path: String, _ format: ImageFormat) throws -> String? {
        var spec = JobSpec(kind: .checksum, sources: [SourceSpec(path: path, format: format)])
        spec.digest = "sha256"
        return try run(spec).digest
    }

    private func run(_ spec: JobSpec) throws -> JobOutcome {
        try LocalFleet(slots: 3).run(spec, runner: LocalRunner(gate: DirectoryGate())).outcome
    }

    private func convert(
        _ source: String,
        _ format: ImageFormat,
        to target: TargetSpec
    ) throws -> String? {
        var spec = JobSpec(kind: .convert, sources: [SourceSpec(path: source, format: format)])
        spec.target = target
        spec.digest = "sha256"
        spec.rangeSize = 4 << 20
        let converted = try run(spec).digest
        // Ranges of another size give the same.
        spec.rangeSize = 12 << 20
        spec.target?.existing = .replace
        #expect(try run(spec).digest == converted)
        return converted
    }

    /// A target of a test: its format, its options, and the run of zeros that is left out.
    struct Kind: Sendable, CustomStringConvertible {
        let format: ImageFormat
        var options: [FormatOption] = []
        var sparseSize: UInt64 = 4096
        var description: String { "\(format) \(options.map(\.value)) \(sparseSize)" }
    }

    static let kinds = [
        Kind(format: .raw), Kind(format: .raw, sparseSize: 0), Kind(format: .qcow2),
        Kind(format: .qcow2, sparseSize: 0),
        Kind(format: .qcow2, options: [FormatOption("preallocation", "metadata")]),
        Kind(format: .qcow2, options: [FormatOption("extended_l2", "on")]),
        Kind(format: .qcow2, options: [FormatOption("cluster_size", "2M")]),
        Kind(format: .qcow2, options: [FormatOption("cluster_size", "512")]),
    ]

    @Test(arguments: kinds, [ImageFormat.raw, .qcow2])
    func `the digest of a copy is its source's and its own`(
        kind: Kind,
        format: ImageFormat
    ) throws {
        var generator = SeededGenerator(for: "copy digest")
        let disk = ImageDescription.random(using: &generator, largestSize: 24 << 20)
        var source = directory.file("source")
        try disk.writeRaw(to: source)
        // What is no multiple of a sector grows in a format of sectors.
        try Tool.check(["truncate", "-s", "%512", source])
        if format == .qcow2 {
            let image = directory.file("image")
            try Tool.check(["qemu-img", "convert", "-c", "-f", "raw", "-O", "qcow2", source, image])
            source = image
        }
        var target = TargetSpec(path: directory.file("target"), format: kind.format)
        target.options = kind.options
        target.sparseSize = kind.sparseSize
        let copied = try convert(source, format, to: target)
        #expect(copied != nil)
        #expect(try digest(source, format) == copied)
        #expect(try digest(target.path, kind.format) == copied)
    }

    @Test(arguments: ["base", "middle", "top", "other"])
    func `what stays in a backing image is hashed too`(backing: String) throws {
        var generator = SeededGenerator(for: "copy digest chain")
        let disk = ImageDescription.random(using: &generator, largestSize: 24 << 20)
        try disk.writeRaw(to: directory.file("raw"))
        try Tool.check(["truncate", "-s", "%65536", directory.file("raw")])
        let size = String(try Tool.check(["stat", "-c", "%s", directory.file("raw")]).dropLast())
        try image("base", ["-f", "raw", "-O", "qcow2", directory.file("raw")])
        try Tool.check(["qemu-img", "create", "-q", "-f", "qcow2", directory.file("other"), size])
        var below = "base"
        for name in ["middle", "top"] {
            let options = "backing_file=\(below),backing_fmt=qcow2"
            try Tool.check(
                ["qemu-img", "create", "-q", "-f", "qcow2", "-o", options, directory.file(name)]
            )
            let start = (name == "top" ? 3 : 1) << 18
            let commands = ["write -P 9 \(start) 100k", "write -z \(start + 300_032) 128k"]
            for command in commands where start + 500_000 < Int(size) ?? 0 {
                try Tool.check(["qemu-io", "-f", "qcow2", "-c", command, directory.file(name)])
            }
            below = name
        }
        for version in ["v2", "v3"] {
            var target = TargetSpec(path: directory.file("target" + version), format: .qcow2)
            target.options = [
                FormatOption("backing_file", backing), FormatOption("backing_fmt", "qcow2"),
                FormatOption("compat", version),
            ]
            let copied = try convert(directory.file("top"), .qcow2, to: target)
            #expect(try digest(directory.file("top"), .qcow2) == copied)
            #expect(try digest(target.path, .qcow2) == copied)
        }
    }

    private func image(_ name: String, _ arguments: [String]) throws {
        try Tool.check(["qemu-img", "convert"] + arguments + [directory.file(name)])
    }

    @Test func `an image that grows to whole sectors has the digest of the copy`() throws {
        try Tool.check(["truncate", "-s", "100000", directory.file("source")])
        let target = TargetSpec(path: directory.file("target"), format: .qcow2)
        let copied = try convert(directory.file("source"), .raw, to: target)
        #expect(try digest(target.path, .qcow2) == copied)
        #expect(try digest(directory.file("source"), .raw) != copied)
    }

    @Test func `an unknown digest fails the plan`() throws {
        try Tool.check(["truncate", "-s", "1M", directory.file("source")])
        var spec = JobSpec(kind: .convert, sources: [SourceSpec(path: directory.file("source"))])
        spec.target = TargetSpec(path: directory.file("target"), format: .raw)
        spec.digest = "sha-zero"
        #expect(throws: DrayError.self) { try run(spec) }
        #expect(directory.names == ["source"])
    }
}
