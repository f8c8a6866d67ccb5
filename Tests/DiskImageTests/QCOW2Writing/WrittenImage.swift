// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import DiskImage
import Storage
import TestSupport
import Testing

/// An image that was written by us, with the tools to prove it from outside.
struct WrittenImage {
    let directory: TemporaryDirectory
    let path: String
    /// The raw file that it must be equal to.
    let reference: String
    let placements: [RangePlacement]
    let target: any TargetFormat

    /// Writes `top` with `options`; `base` is the backing image's content, which becomes `base.raw`.
    init(
        _ top: ImageDescription,
        on base: ImageDescription? = nil,
        options: String,
        format: ImageFormat = .qcow2,
        compression: CompressionEffort? = nil,
        seed: UInt64 = 1
    ) throws {
        directory = try TemporaryDirectory()
        path = directory.file("image")
        reference = directory.file("reference.raw")
        try base?.writeRaw(to: directory.file("base.raw"))
        let disk = LayeredDisk(top, on: base)
        try Self.writeReference(disk, reference)
        target = try TargetFormats.make(
            format,
            guestSize: top.size,
            options: parse(options),
            compression: compression
        )
        let storage = try StorageOpener.open(path, for: .creating, cache: .writeback)
        var plane = SmallDataPlane(
            disk: disk,
            target: target,
            storage: storage,
            generator: SeededGenerator(seed: seed)
        )
        placements = try plane.run()
    }

    /// The reference as a guest of a qcow2 image would see it: whole sectors.
    private static func writeReference(_ disk: LayeredDisk, _ path: String) throws {
        let size = (disk.size + 511) / 512 * 512
        try ImageFile.write(disk.bytes, size, to: path)
    }

    /// Fails the test unless qemu-img finds neither errors nor leaks, and the right content.
    func expectSound(_ comment: Comment? = nil) throws {
        let check = try Tool.run(["qemu-img", "check", path])
        #expect(check.status == 0, "\(check.output)\(check.error) \(comment ?? "")")
        #expect(check.output.contains("No errors were found"), comment)
        let compare = try Tool.run([
            "qemu-img", "compare", "-f", target.format.rawValue, "-F", "raw", path, reference,
        ])
        #expect(compare.status == 0, "\(compare.output)\(compare.error) \(comment ?? "")")
    }

    /// Length and allocated bytes of a file.
    static func usage(_ path: String) throws -> (length: Int, allocated: Int) {
        let numbers = try Tool.check(["stat", "-c", "%s %b", path])
            .split { $0 == " " || $0 == "\n" }.compactMap { Int($0) }
        return (numbers[0], numbers[1] * 512)
    }
}

/// Options as `-o` has them.
func parse(_ options: String) -> [FormatOption] {
    options.split(separator: ",").map { option in
        let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        return FormatOption(String(parts[0]), String(parts[1]))
    }
}

/// Files of bytes.
enum ImageFile {
    static func write(_ buffer: AlignedBuffer, _ size: Int, to path: String) throws {
        let storage = try StorageOpener.open(path, for: .creating, cache: .writeback)
        try storage.resize(UInt64(size))
        try buffer.forEachRun(of: 0..<size, granule: 4096) { run, isZero throws(DrayError) in
            if !isZero { try storage.write(HostOffset(UInt64(run.lowerBound)), from: buffer, run) }
        }
    }

    static func read(_ path: String) throws -> [UInt8] {
        let storage = try StorageOpener.open(path, for: .reading, cache: .writeback)
        guard storage.length > 0 else { return [] }
        let buffer = AlignedBuffer(count: Int(storage.length))
        try storage.read(HostOffset(0), into: buffer, 0..<buffer.count)
        return buffer.bytes(0..<buffer.count)
    }
}
