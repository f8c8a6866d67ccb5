// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import FoundationEssentials
import Storage
import TestSupport
import Testing

@Suite struct FileStorageTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    @Test(
        "what is neither file nor block device is refused at once",
        .timeLimit(.minutes(15)),
        arguments: [StorageOpener.Access.reading, .writing],
        ["pipe", "directory", "/dev/zero"]
    )
    func specialFiles(access: StorageOpener.Access, name: String) throws {
        if name == "pipe" { try Tool.check(["mkfifo", directory.file(name)]) }
        if name == "directory" { try Tool.check(["mkdir", directory.file(name)]) }
        let path = name.hasPrefix("/") ? name : directory.file(name)
        let error = #expect(throws: DrayError.self) {
            try StorageOpener.open(path, for: access, cache: .writeback)
        }
        #expect(error?.kind == .unsupported)
        #expect(error?.file == path)
    }

    @Test("a missing file is an error of the system, with its number")
    func missing() {
        let error = #expect(throws: DrayError.self) {
            try StorageOpener.open(directory.file("none"), for: .reading, cache: .writeback)
        }
        #expect(error?.kind == .resource)
        #expect(error?.errno == 2)
    }

    @Test(
        "a file that exists is not created again, and keeps its bytes",
        arguments: CacheMode.allCases
    )
    func existing(cache: CacheMode) throws {
        let path = try file("old", [1, 2, 3])
        let error = #expect(throws: DrayError.self) {
            try StorageOpener.open(path, for: .creating, cache: cache)
        }
        #expect(error?.kind == .refused)
        #expect(error?.message.contains("--force") == true)
        let again = try StorageOpener.open(path, for: .reading, cache: .writeback)
        #expect(try allBytes(again) == [1, 2, 3])
    }

    @Test(
        "a file that shrinks under us is said to have changed",
        arguments: [CacheMode.writeback, .none]
    )
    func shrinking(cache: CacheMode) throws {
        let path = try file("image", [UInt8](repeating: 7, count: 300_000))
        let storage = try StorageOpener.open(path, for: .reading, cache: cache)
        let before = try storage.identity()
        try Tool.check(["truncate", "-s", "100000", path])
        let buffer = AlignedBuffer(count: 300_000)
        let error = #expect(throws: DrayError.self) {
            try storage.read(HostOffset(50_000), into: buffer, 0..<200_000)
        }
        #expect(error?.kind == .changed)
        #expect(error?.offset == 100_000)
        #expect(try storage.identity() != before)
    }

    @Test(
        "offsets and lengths beyond what a file can have are errors, not traps",
        arguments: [0xFFFF_FFFF_FFFF_FFFF, 0xFFFF_FFFF_FFFF_F000, 0x7FFF_FFFF_FFFF_FFFF] as [UInt64]
    )
    func farAway(offset: UInt64) throws {
        let path = directory.file("image")
        let storage = try StorageOpener.open(path, for: .creating, cache: .writeback)
        let buffer = AlignedBuffer(count: 4096)
        let place = HostOffset(offset)
        #expect(throws: DrayError.self) { try storage.read(place, into: buffer, 0..<4096) }
        #expect(throws: DrayError.self) { try storage.write(place, from: buffer, 0..<4096) }
        #expect(throws: DrayError.self) { try storage.extent(at: place, limit: 1) }
        #expect(throws: DrayError.self) { try storage.reserve(place, length: 4096) }
        #expect(throws: DrayError.self) { try storage.resize(offset) }
        #expect(throws: DrayError.self) { try storage.zero(place, length: .max, mayPunch: true) }
    }

    @Test(
        "a full file system is reported with file, offset and number",
        .enabled(if: SmallFileSystem.isAvailable, "cannot mount a file system here")
    )
    func noSpace() throws {
        let small = try SmallFileSystem(size: 1 << 20)
        let path = "\(small.path)/image"
        let storage = try StorageOpener.open(path, for: .creating, cache: .writeback)
        let buffer = AlignedBuffer(count: 4 << 20)
        buffer.zero(0..<buffer.count)
        let error = #expect(throws: DrayError.self) {
            try storage.write(HostOffset(0), from: buffer, 0..<buffer.count)
        }
        #expect(error?.kind == .resource)
        #expect(error?.errno == 28)
        #expect(error?.file == path)
        #expect(error?.offset == 1 << 20)
        #expect(throws: DrayError.self) { try storage.reserve(HostOffset(0), length: 4 << 20) }
    }

    @Test("a file system without O_DIRECT is told apart, with what to do")
    func noDirect() {
        let error = #expect(throws: DrayError.self) {
            try StorageOpener.open("/proc/version", for: .reading, cache: .none)
        }
        #expect(error?.kind == .unsupported)
        #expect(error?.message.contains("writeback") == true)
    }

    @Test("the file system is asked once a run, however often we are")
    func questions() throws {
        let unit: UInt64 = 1 << 18
        let disk = ImageDescription(
            size: 40 * unit,
            stretches: (0..<4).map {
                .init(start: $0 * 10 * unit, length: 3 * unit, content: .data(seed: $0))
            }
        )
        let path = directory.file("image")
        try disk.writeRaw(to: path)
        let opened = try StorageOpener.open(path, for: .reading, cache: .writeback)
        let storage = try #require(opened as? FileStorage)
        for _ in 0..<3 {
            var offset: UInt64 = 0
            while offset < storage.length {
                let run = try storage.extent(at: HostOffset(offset), limit: 65536)
                #expect(run.isData == (offset % (10 * unit) < 3 * unit))
                offset += run.length
            }
        }
        #expect(storage.extentQuestions == 8)
    }

    @Test("a file system that answers slowly is not asked for ever, a quick one is")
    func patience() {
        let call: UInt64 = 1_000_000
        var slow = ExtentPatience.short
        for _ in 0..<60 { slow.record(processor: call, elapsed: call, bytes: 4096) }
        #expect(!slow.isAsking && slow.isOver)
        var needed = ExtentPatience.long
        for _ in 0..<60 { needed.record(processor: call, elapsed: call, bytes: 4096) }
        #expect(needed.isAsking && !needed.isOver)
        var hesitant = ExtentPatience.short
        for _ in 0..<40 { hesitant.record(processor: call, elapsed: call, bytes: 4096) }
        #expect(hesitant.isAsking)
        var thorough = ExtentPatience.short
        for _ in 0..<1000 { thorough.record(processor: call, elapsed: call, bytes: 1 << 30) }
        #expect(thorough.isAsking)
        var quick = ExtentPatience.short
        for _ in 0..<100_000 { quick.record(processor: 1500, elapsed: 1500, bytes: 4096) }
        #expect(quick.isAsking)
        var waiting = ExtentPatience.short
        for _ in 0..<4 { waiting.record(processor: 1500, elapsed: 240 * call, bytes: 4096) }
        #expect(waiting.isAsking)
        var distant = ExtentPatience.short
        for _ in 0..<5 { distant.record(processor: 1500, elapsed: 240 * call, bytes: 4096) }
        #expect(!distant.isAsking && distant.isOver)
    }

    @Test(
        "data and holes are where qemu-img sees them",
        .enabled(if: Tool.isInstalled("qemu-img"), "no qemu-img"),
        arguments: SeededGenerator.seeds(10)
    )
    func extentsEqualMap(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let disk = ImageDescription.random(using: &generator, largestSize: 32 << 20)
        let path = directory.file("image")
        try disk.writeRaw(to: path)
        let text = try Tool.check(["qemu-img", "map", "-f", "raw", "--output=json", path])
        let expected = try JSONDecoder().decode([MapEntry].self, from: Data(text.utf8))
        let storage = try StorageOpener.open(path, for: .reading, cache: .writeback)
        for _ in 0..<2 {
            var runs: [MapEntry] = []
            var start: UInt64 = 0
            while start < storage.length {
                let limit = UInt64.random(in: 1...8 << 20, using: &generator)
                let run = try storage.extent(at: HostOffset(start), limit: limit)
                #expect(run.length <= limit)
                if let last = runs.last, last.data == run.isData {
                    runs[runs.count - 1].length += run.length
                } else {
                    runs.append(MapEntry(start: start, length: run.length, data: run.isData))
                }
                start += run.length
            }
            #expect(runs == expected, "seed \(seed)")
        }
    }

    @Test(
        "threads that write neighbouring pieces do not lose each other's bytes",
        .timeLimit(.minutes(15)),
        arguments: [CacheMode.writeback, .none, .directsync],
        SeededGenerator.seeds(3)
    )
    func neighbours(cache: CacheMode, seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        var cuts: Set<Int> = [0, 200_001]
        for _ in 0..<300 { cuts.insert(Int.random(in: 1..<200_000, using: &generator)) }
        let pieces = zip(cuts.sorted(), cuts.sorted().dropFirst()).shuffled(using: &generator)
        let path = directory.file("image")
        let storage = try StorageOpener.open(path, for: .creating, cache: cache)
        try await withThrowingTaskGroup { group in
            for part in 0..<4 {
                group.addTask {
                    let buffer = AlignedBuffer(count: 200_001)
                    for (index, (start, end)) in pieces.enumerated() where index % 4 == part {
                        let bytes = (start..<end).map { UInt8(truncatingIfNeeded: $0 % 251 + 1) }
                        buffer.copy(bytes, to: 0)
                        try storage.write(HostOffset(UInt64(start)), from: buffer, 0..<end - start)
                    }
                }
            }
            try await group.waitForAll()
        }
        let again = try StorageOpener.open(path, for: .reading, cache: .writeback)
        let expected = (0..<200_001).map { UInt8(truncatingIfNeeded: $0 % 251 + 1) }
        #expect(try allBytes(again) == expected, "seed \(seed)")
    }

    private func file(_ name: String, _ bytes: [UInt8]) throws -> String {
        let path = directory.file(name)
        try Data(bytes).write(to: URL(filePath: path))
        return path
    }

    @Test("a file that lies elsewhere than it may is refused once it is open")
    func confinement() throws {
        let directory = try TemporaryDirectory()
        try Tool.check(["mkdir", directory.file("in"), directory.file("inside")])
        try Tool.check(["touch", directory.file("in/a"), directory.file("inside/b")])
        try Tool.check(["ln", "-s", "../inside/b", directory.file("in/link")])
        let allowed = [try #require(try RealPlace(directory.file("in"))).path]
        for (name, isAllowed) in [("in/a", true), ("in/link", false), ("inside/b", false)] {
            var kind: DrayError.Kind?
            do throws(DrayError) {
                let path = directory.file(name)
                _ = try StorageOpener.open(path, for: .reading, cache: .writeback, within: allowed)
            } catch { kind = error.kind }
            #expect(kind == (isAllowed ? nil : .refused))
        }
    }
}

/// An entry of `qemu-img map`: the part that a raw file has.
private struct MapEntry: Decodable, Equatable {
    let start: UInt64
    var length: UInt64
    let data: Bool
}
