// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import Storage
import TestSupport
import Testing

/// A storage and a plain array get the same random calls, and must hold the same bytes.
@Suite struct StorageModelTests {
    @Test(
        "a file holds what an array would, in every cache mode",
        .timeLimit(.minutes(15)),
        arguments: CacheMode.allCases,
        SeededGenerator.seeds(3)
    )
    func fileAgreesWithArray(cache: CacheMode, seed: UInt64) throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("image")
        let storage = try StorageOpener.open(path, for: .creating, cache: cache)
        #expect(storage.isZeroInitialized)
        var model = Model(storage, seed: seed)
        try model.run(steps: 100)
        try storage.flush()
        let again = try StorageOpener.open(path, for: .reading, cache: .writeback)
        #expect(again.length == UInt64(model.bytes.count))
        #expect(try allBytes(again) == model.bytes, "seed \(seed)")
        let direct = try StorageOpener.open(path, for: .reading, cache: .none)
        #expect(try allBytes(direct) == model.bytes, "seed \(seed)")
        try expectHolesAreZero(again, model.bytes)
    }

    @Test("memory holds what an array would", arguments: SeededGenerator.seeds(6))
    func memoryAgreesWithArray(seed: UInt64) throws {
        let storage = MemoryStorage()
        var model = Model(storage, seed: seed)
        try model.run(steps: 200)
        #expect(storage.bytes == model.bytes, "seed \(seed)")
        try expectHolesAreZero(storage, model.bytes)
    }

    private func expectHolesAreZero(_ storage: any Storage, _ bytes: [UInt8]) throws {
        var offset: UInt64 = 0
        while offset < storage.length {
            let run = try storage.extent(at: HostOffset(offset), limit: .max)
            #expect(run.length > 0 && offset + run.length <= storage.length)
            if !run.isData {
                #expect(isZero(bytes[Int(offset)..<Int(offset + run.length)]))
            }
            offset += run.length
        }
    }
}

/// Whether all bytes are zero, at a speed that debug builds can bear.
func isZero(_ bytes: ArraySlice<UInt8>) -> Bool {
    bytes.elementsEqual(repeatElement(0, count: bytes.count))
}

/// All bytes of a small storage, read in pieces whose ends are aligned to nothing.
func allBytes(_ storage: any Storage) throws -> [UInt8] {
    let buffer = AlignedBuffer(count: 100_003)
    var bytes: [UInt8] = []
    while UInt64(bytes.count) < storage.length {
        let count = Int(min(UInt64(buffer.count), storage.length - UInt64(bytes.count)))
        try storage.read(HostOffset(UInt64(bytes.count)), into: buffer, 0..<count)
        bytes += buffer.bytes(0..<count)
    }
    return bytes
}

private struct Model {
    private(set) var bytes: [UInt8] = []
    private let storage: any Storage
    private var generator: SeededGenerator
    private let buffer = AlignedBuffer(count: 3 << 20)

    init(_ storage: any Storage, seed: UInt64) {
        self.storage = storage
        generator = SeededGenerator(seed: seed)
    }

    mutating func run(steps: Int) throws {
        for _ in 0..<steps { try step() }
    }

    private mutating func step() throws {
        let offset = place(in: 0...4 << 20)
        let count = place(in: 1...(Bool.random(using: &generator) ? 9000 : 1 << 20))
        switch Int.random(in: 0..<8, using: &generator) {
        case 0..<4: try write(offset, count)
        case 4: try zero(offset, count)
        case 5:
            try storage.reserve(HostOffset(UInt64(offset)), length: UInt64(count))
            extend(to: offset + count)
        case 6 where Int.random(in: 0..<4, using: &generator) == 0:
            try storage.resize(UInt64(offset))
            extend(to: offset)
            bytes.removeLast(bytes.count - offset)
        default: try read(offset, count)
        }
        #expect(storage.length == UInt64(bytes.count))
    }

    private mutating func write(_ offset: Int, _ count: Int) throws {
        let start = place(in: 0...1 << 20)
        var content: [UInt8] = []
        let piece = (0..<97).map { _ in UInt8.random(in: 0...255, using: &generator) }
        while content.count < count { content += piece }
        content.removeLast(content.count - count)
        buffer.copy(content, to: start)
        try storage.write(HostOffset(UInt64(offset)), from: buffer, start..<start + count)
        extend(to: offset + count)
        bytes.replaceSubrange(offset..<offset + count, with: content)
    }

    private mutating func zero(_ offset: Int, _ count: Int) throws {
        let mayPunch = Bool.random(using: &generator)
        try storage.zero(HostOffset(UInt64(offset)), length: UInt64(count), mayPunch: mayPunch)
        extend(to: offset + count)
        let zeros = [UInt8](repeating: 0, count: count)
        bytes.replaceSubrange(offset..<offset + count, with: zeros)
    }

    private mutating func read(_ offset: Int, _ count: Int) throws {
        let start = place(in: 0...1 << 20)
        guard offset + count <= bytes.count else {
            let storage = storage
            let buffer = buffer
            let error = #expect(throws: DrayError.self) {
                try storage.read(HostOffset(UInt64(offset)), into: buffer, start..<start + count)
            }
            #expect(error?.kind == .corrupt)
            return
        }
        try storage.read(HostOffset(UInt64(offset)), into: buffer, start..<start + count)
        let got = buffer.bytes(start..<start + count)
        #expect(got == Array(bytes[offset..<offset + count]), "read \(count) at \(offset)")
    }

    private mutating func extend(to end: Int) {
        if end > bytes.count { bytes += [UInt8](repeating: 0, count: end - bytes.count) }
    }

    /// A number of the range, more often than not at a limit of pages or sectors.
    private mutating func place(in range: ClosedRange<Int>) -> Int {
        let number = Int.random(in: range, using: &generator)
        let unit = [1, 1, 512, 4096, 65536].randomElement(using: &generator) ?? 1
        return max(range.lowerBound, number / unit * unit)
    }
}
