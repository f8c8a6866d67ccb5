// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

/// A directory with a random disk as a raw file, and what tests do with it.
struct Workbench {
    let directory: TemporaryDirectory
    let disk: ImageDescription
    /// The disk as a raw file.
    let raw: String

    /// A new disk from `seed`; its size is a multiple of `sizeUnit`.
    init(seed: UInt64, largestSize: UInt64 = 24 << 20, sizeUnit: UInt64 = 512) throws {
        var generator = SeededGenerator(seed: seed)
        directory = try TemporaryDirectory()
        disk = .random(using: &generator, largestSize: largestSize, sizeUnit: sizeUnit)
        raw = directory.file("source.raw")
        try disk.writeRaw(to: raw)
    }

    func file(_ name: String) -> String { directory.file(name) }

    /// Runs dray and expects success.
    func dray(_ arguments: String..., sourceLocation: SourceLocation = #_sourceLocation) throws {
        let result = try DrayBinary.run(arguments)
        #expect(
            result.succeeded,
            "dray \(arguments.joined(separator: " ")): \(result.error)",
            sourceLocation: sourceLocation
        )
    }

    /// Expects qemu-img to find the same guest content in two images.
    func expectSame(
        _ a: String,
        _ formatA: String,
        _ b: String,
        _ formatB: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let result = try Tool.run(["qemu-img", "compare", "-f", formatA, "-F", formatB, a, b])
        #expect(
            result.succeeded,
            "\(a) and \(b): \(result.output)\(result.error)",
            sourceLocation: sourceLocation
        )
    }

    /// Expects qemu-img check to find neither errors nor leaks.
    func expectClean(
        _ path: String,
        _ format: String = "qcow2",
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let result = try Tool.run(["qemu-img", "check", "-f", format, path])
        #expect(
            result.succeeded,
            "\(path): \(result.output)\(result.error)",
            sourceLocation: sourceLocation
        )
    }

    /// A file's length and the space it takes, in bytes.
    static func size(_ path: String) throws -> (length: UInt64, allocated: UInt64) {
        let words = try Tool.check(["stat", "-c", "%s %b", path]).split { $0 == " " || $0 == "\n" }
        guard words.count == 2, let length = UInt64(words[0]), let blocks = UInt64(words[1]) else {
            throw SupportError("stat said \(words)")
        }
        return (length, blocks * 512)
    }
}
