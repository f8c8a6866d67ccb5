// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import DiskImage
import Storage
import TestSupport
import Testing

/// Raw targets, beside those of qemu-img convert.
@Suite struct RawTargetTests {
    @Test(
        "content, length and space are those of qemu-img's file",
        arguments: ["", "preallocation=off", "preallocation=falloc", "preallocation=full"]
    )
    func likeQemu(options: String) throws {
        let disk = ImageDescription(
            size: (3 << 20) + 512,
            stretches: [.init(start: 1 << 20, length: 65_536, content: .data(seed: 1))]
        )
        let image = try WrittenImage(disk, options: options, format: .raw)
        let theirs = image.directory.file("theirs")
        var command = ["qemu-img", "convert", "-f", "raw", "-O", "raw"]
        if !options.isEmpty { command += ["-o", options] }
        try Tool.check(command + [image.reference, theirs])
        #expect(try ImageFile.read(image.path) == ImageFile.read(theirs))
        let (ours, limit) = (try WrittenImage.usage(image.path), try WrittenImage.usage(theirs))
        let keepsSpace = ["falloc", "full"].contains { options.hasSuffix($0) }
        #expect(image.target.keepsSpace == keepsSpace)
        #expect(ours.length == limit.length)
        // qemu-img writes a page at the end, even of zeros.
        #expect(keepsSpace ? ours.allocated == limit.allocated : ours.allocated <= limit.allocated)
    }

    @Test(
        "a target that is written in place keeps its payload when it is prepared again",
        arguments: [ImageFormat.raw, .qcow2],
        ["off", "falloc", "full"]
    )
    func preparedAgain(format: ImageFormat, preallocation: String) throws {
        let storage = MemoryStorage(length: 1 << 20, isZeroInitialized: false)
        let options = [FormatOption("preallocation", preallocation)]
        let target = try TargetFormats.make(format, guestSize: 1 << 19, options: options)
        try target.prepare(storage)
        let payload = AlignedBuffer(count: 4096)
        payload.copy([UInt8](repeating: 7, count: 4096), to: 0)
        let place = HostOffset(1 << 18)
        try storage.write(place, from: payload, 0..<4096)
        try target.prepare(storage)
        let found = AlignedBuffer(count: 4096)
        try storage.read(place, into: found, 0..<4096)
        #expect(found.bytes(0..<4096) == payload.bytes(0..<4096))
    }

    @Test("a file that is written in place keeps what lies behind the disk")
    func longerFile() throws {
        let storage = MemoryStorage(length: 8192, isZeroInitialized: false)
        let target = try TargetFormats.make(.raw, guestSize: 4096, options: [])
        try target.prepare(storage)
        try target.seal(storage, [])
        #expect(storage.length == 8192)
    }

    @Test("a target that shall be written whole says so", arguments: [false, true])
    func writesEverything(hasBase: Bool) throws {
        let options = parse(hasBase ? "backing_file=b,backing_fmt=raw" : "")
        for (sparseSize, stored) in [(UInt64(0), Allocation.StoredZeros.all), (4096, .none)] {
            let target = try TargetFormats.make(
                .qcow2,
                guestSize: 1 << 20,
                options: options,
                sparseSize: sparseSize
            )
            guard case .allocated(let rules) = target.placement else {
                Issue.record("the target allocates")
                return
            }
            #expect(rules.storedZeros == stored)
            #expect(rules.marksZeros == (stored == .all || hasBase))
        }
    }
}
