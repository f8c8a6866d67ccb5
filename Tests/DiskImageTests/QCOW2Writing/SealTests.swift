// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import DiskImage
import Storage
import Synchronization
import TestSupport
import Testing

/// How an image is sealed: the order of writes, again, over what was there, and for huge disks.
@Suite struct SealTests {
    typealias Run = RangePlacement.Run

    @Test(
        "sealing twice gives the same file",
        arguments: [
            "", "cluster_size=512", "extended_l2=on,preallocation=falloc", "preallocation=full",
        ]
    )
    func idempotent(options: String) throws {
        let image = try WrittenImage(Self.disk, options: options)
        let before = try ImageFile.read(image.path)
        let storage = try StorageOpener.open(image.path, for: .writing, cache: .writeback)
        try image.target.seal(storage, image.placements)
        #expect(try ImageFile.read(image.path) == before)
    }

    @Test(
        "no tool takes the file for an image before the header, which comes last and after a flush"
    )
    func headerLast() throws {
        let storage = MemoryStorage()
        let calls = Mutex<[(MemoryStorage.Call, UInt64)]>([])
        storage.setFault { call, offset, _ in
            calls.withLock { $0.append((call, offset)) }
            return nil
        }
        let target = try QCOW2Target(guestSize: 1 << 20, options: [])
        var plane = SmallDataPlane(
            disk: LayeredDisk(Self.disk),
            target: try QCOW2Target(guestSize: Self.disk.size, options: []),
            storage: storage,
            generator: SeededGenerator(seed: 1)
        )
        _ = try plane.run()
        let made = calls.withLock { $0 }
        #expect(made.suffix(3).map { $0.0 } == [.flush, .write, .flush])
        #expect(made.dropLast(2).allSatisfy { $0.0 != .write || $0.1 >= 65_536 })

        let failing = MemoryStorage()
        failing.setFault { call, _, _ in
            call == .flush ? DrayError(.resource, "no more space", errno: 28) : nil
        }
        let holes = RangePlacement(
            range: GuestRange(GuestOffset(0), length: 1 << 20),
            reservation: nil,
            runs: [Run(.hole, 16)]
        )
        #expect(throws: DrayError.self) { try target.seal(failing, [holes]) }
        #expect(failing.bytes.prefix(65_536).allSatisfy { $0 == 0 })
    }

    @Test(
        "what a file held before does not show",
        arguments: ["", "extended_l2=on", "cluster_size=4k"]
    )
    func overOldContent(options: String) throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("image")
        let old = AlignedBuffer(count: 6 << 20)
        old.copy([UInt8](repeating: 0xA5, count: old.count), to: 0)
        try ImageFile.write(old, old.count, to: path)
        let storage = try StorageOpener.open(path, for: .writing, cache: .writeback)
        let disk = LayeredDisk(Self.disk)
        let target = try QCOW2Target(guestSize: Self.disk.size, options: parse(options))
        var plane = SmallDataPlane(
            disk: disk,
            target: target,
            storage: storage,
            generator: SeededGenerator(seed: 1)
        )
        _ = try plane.run()
        #expect(storage.length < 6 << 20)
        let reference = directory.file("reference.raw")
        try ImageFile.write(disk.bytes, disk.size, to: reference)
        try Tool.check(["qemu-img", "check", path])
        try Tool.check(["qemu-img", "compare", "-f", "qcow2", "-F", "raw", path, reference])
    }

    @Test("a place that was reserved but not used is free, not leaked")
    func abandonedReservation() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("image")
        let storage = try StorageOpener.open(path, for: .creating, cache: .writeback)
        let target = try QCOW2Target(guestSize: 8 << 20, options: parse("cluster_size=4k"))
        let placements = (0..<2).map { index in
            RangePlacement(
                range: GuestRange(GuestOffset(index * 4 << 20), length: 4 << 20),
                reservation: HostOffset(4096 + (index * 1000) * 4096),
                runs: [Run(.hole, 1000), Run(.data, 24)]
            )
        }
        try target.seal(storage, placements)
        let check = try Tool.check(["qemu-img", "check", path])
        #expect(check.contains("No errors") && check.contains("48/2048"))
    }

    @Test(
        "qemu can go on writing to our images",
        arguments: ["", "cluster_size=1k,refcount_bits=2", "extended_l2=on"]
    )
    func writableByQemu(options: String) throws {
        let image = try WrittenImage(Self.disk, options: options)
        let write = "write -P 7 100k 900k"
        try Tool.check(["qemu-io", "-f", "qcow2", "-c", write, image.path])
        try Tool.check(["qemu-io", "-f", "raw", "-c", write, image.reference])
        try image.expectSound()
    }

    @Test("disks of no bytes and of odd sizes", arguments: [0, 1, 511, 513, 65_535, 65_537])
    func smallDisks(size: UInt64) throws {
        var stretches: [ImageDescription.Stretch] = []
        if size > 0 { stretches.append(.init(start: size - 1, length: 1, content: .data(seed: 3))) }
        let disk = ImageDescription(size: size, stretches: stretches)
        for options in ["", "cluster_size=512", "compat=v2", "preallocation=metadata"] {
            let image = try WrittenImage(disk, options: options)
            try image.expectSound("size \(size), \(options)")
            #expect(image.target.guestSize == (size + 511) / 512 * 512)
        }
    }

    @Test("a huge sparse disk has tables for its data only", .timeLimit(.minutes(15)))
    func hugeSparseDisk() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("image")
        let storage = try StorageOpener.open(path, for: .creating, cache: .writeback)
        let size: UInt64 = 1 << 40
        let target = try QCOW2Target(guestSize: size, options: [])
        let data: UInt64 = 600 << 30
        let rest = size - data - (4 << 20)
        let placements = [
            Self.span(0, data, nil, [Run(.hole, Int(data / 65_536))]),
            Self.span(data, 4 << 20, 65_536, [Run(.data, 64)]),
            Self.span(data + (4 << 20), rest, nil, [Run(.hole, Int(rest / 65_536))]),
        ]
        try target.seal(storage, placements)
        // Header, payload, one L2 table, one refcount block, the refcount table and 16 KiB of L1 table.
        #expect(storage.length == 68 * 65_536 + 16_384)
        let check = try Tool.check(["qemu-img", "check", path])
        #expect(check.contains("64/16777216"))
    }

    @Test("the tables of a huge full disk are streamed in large writes", .timeLimit(.minutes(15)))
    func hugeFullDisk() throws {
        let storage = MemoryStorage()
        let largest = Mutex<(calls: Int, bytes: UInt64)>((0, 0))
        storage.setFault { call, _, length in
            if call == .write {
                largest.withLock { $0 = ($0.calls + 1, max($0.bytes, length)) }
            }
            return nil
        }
        let size: UInt64 = 32 << 30
        let target = try QCOW2Target(guestSize: size, options: [])
        let full = Self.span(0, size, 65_536, [Run(.data, Int(size / 65_536))])
        try target.seal(storage, [full])
        // 4 MiB of L2 tables, 1 MiB of refcount blocks.
        #expect(largest.withLock { $0.bytes } <= 2 << 20)
        #expect(largest.withLock { $0.calls } <= 7)
    }

    private static let disk = ImageDescription(
        size: 3 << 20,
        stretches: [
            .init(start: 5000, length: 70_000, content: .data(seed: 1)),
            .init(start: 1 << 20, length: 200_000, content: .zeros),
            .init(start: (2 << 20) + 12_345, length: 40_000, content: .data(seed: 2)),
            .init(start: (3 << 20) - 65_536, length: 700, content: .data(seed: 3)),
        ]
    )

    private static func span(_ start: UInt64, _ length: UInt64, _ at: UInt64?, _ runs: [Run])
        -> RangePlacement
    {
        RangePlacement(
            range: GuestRange(GuestOffset(start), length: length),
            reservation: at.map { HostOffset($0) },
            runs: runs
        )
    }
}
