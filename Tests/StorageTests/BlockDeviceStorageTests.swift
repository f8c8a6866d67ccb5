// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import Storage
import TestSupport
import Testing

@Suite(.enabled(if: LoopDevice.isAvailable, "cannot make a loop device here"))
struct BlockDeviceStorageTests {
    @Test(
        "a device's bytes are read, written and zeroed at any place",
        .timeLimit(.minutes(15)),
        arguments: [CacheMode.writeback, .none, .directsync],
        [512, 4096]
    )
    func readWriteZero(cache: CacheMode, sectorSize: Int) throws {
        let size = 4 << 20
        let device = try LoopDevice(size: size, fill: 0x5A, sectorSize: sectorSize)
        var model = [UInt8](repeating: 0x5A, count: size)
        let storage = try StorageOpener.open(device.path, for: .writing, cache: cache)
        #expect(storage.length == UInt64(size))
        #expect(!storage.isZeroInitialized)
        let buffer = AlignedBuffer(count: 1 << 20)
        for (start, count) in [(0, 512), (1, 1), (4095, 70_000), (1 << 20, 1 << 20), (size - 7, 7)]
        {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 % 253 + 1) }
            buffer.copy(bytes, to: 0)
            try storage.write(HostOffset(UInt64(start)), from: buffer, 0..<count)
            model.replaceSubrange(start..<start + count, with: bytes)
        }
        for (start, count) in [(5, 3), (5000, 20_000), (1 << 20, 1 << 19), (size - 512, 512)] {
            let place = HostOffset(UInt64(start))
            try storage.zero(place, length: UInt64(count), mayPunch: count % 2 == 0)
            let zeros = [UInt8](repeating: 0, count: count)
            model.replaceSubrange(start..<start + count, with: zeros)
        }
        try storage.flush()
        #expect(try allBytes(storage) == model)
        let again = try StorageOpener.open(device.path, for: .reading, cache: .writeback)
        #expect(try allBytes(again) == model)
    }

    @Test("a device does not grow")
    func bounds() throws {
        let device = try LoopDevice(size: 1 << 20, fill: 1)
        let storage = try StorageOpener.open(device.path, for: .writing, cache: .writeback)
        try storage.resize(1 << 20)
        try storage.resize(1000)
        #expect(storage.length == 1 << 20)
        let end = HostOffset((1 << 20) - 100)
        let buffer = AlignedBuffer(count: 200)
        let calls: [() throws -> Void] = [
            { try storage.resize((1 << 20) + 1) },
            { try storage.write(end, from: buffer, 0..<200) },
            { try storage.zero(end, length: 200, mayPunch: false) },
            { try storage.reserve(end, length: 200) },
        ]
        for call in calls {
            let error = #expect(throws: DrayError.self) { try call() }
            #expect(error?.errno == 28)
        }
        let past = #expect(throws: DrayError.self) { try storage.read(end, into: buffer, 0..<200) }
        #expect(past?.kind == .corrupt)
    }
}
