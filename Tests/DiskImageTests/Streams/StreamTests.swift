// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage
internal import Storage
internal import Synchronization
internal import TaskLog
internal import TestSupport
internal import Testing

/// Raw images inside compressed streams, against the disks that were compressed.
@Suite(.timeLimit(.minutes(15))) struct StreamTests {
    private static let chunk = UInt64(UnitSize.chunk)

    /// A disk that ends inside a chunk, and its bytes.
    private static let large: (disk: ImageDescription, bytes: [UInt8]) = {
        let disk = ImageDescription(
            size: (8 << 20) + 77,
            stretches: [
                .init(start: 0, length: 3 << 20, content: .data(seed: 1)),
                .init(start: 6 << 20, length: (2 << 20) + 77, content: .data(seed: 2)),
            ]
        )
        return (disk, disk.bytes)
    }()

    private func open(
        _ file: StreamFile,
        _ kind: StreamKind,
        room: Int = 96 << 20
    ) throws -> StreamDriver {
        try StreamDriver(
            storage: file.storage(),
            kind,
            room: StreamRoom(limit: room),
            pulse: .unheeded
        )
    }

    /// The bytes of `range`, read by the driver's map.
    private func read(_ driver: StreamDriver, _ range: Range<UInt64>) throws -> [UInt8] {
        let buffer = AlignedBuffer(count: max(1, range.count))
        buffer.zero(0..<range.count)
        var position = range.lowerBound
        while position < range.upperBound {
            let limit = range.upperBound - position
            let run = try driver.map(GuestOffset(position), limit: limit)
            try #require(run.length > 0 && run.length <= limit)
            let start = Int(position - range.lowerBound)
            if case .data(let storage, let host) = run.place {
                try storage.read(host, into: buffer, start..<start + Int(run.length))
            }
            position += run.length
        }
        return buffer.bytes(0..<range.count)
    }

    @Test(arguments: StreamFile.recipes)
    func `content and holes are those of the disk`(recipe: StreamFile.Recipe) throws {
        var generator = SeededGenerator(for: "stream \(recipe)")
        let disk = StreamFile.disk(&generator, size: 4 << 20)
        let file = try StreamFile(disk, recipe)
        let driver = try open(file, recipe.kind)
        try #require(driver.guestSize == disk.size, "DRAY_SEED=\(generator.seed)")
        let bytes = disk.bytes
        let content = AlignedBuffer(count: bytes.count)
        content.copy(bytes, to: 0)
        for block in stride(from: 0, to: disk.size, by: UnitSize.block) {
            let end = min(block + UInt64(UnitSize.block), disk.size)
            let run = try driver.map(GuestOffset(block), limit: end - block)
            let isZero = content.isZero(Int(block)..<Int(end))
            var saysZero = false
            if case .zero = run.place { saysZero = true }
            #expect(saysZero == isZero && run.length == end - block, "block at \(block)")
        }
        #expect(try read(driver, 0..<disk.size) == bytes, "DRAY_SEED=\(generator.seed)")
        for _ in 0..<12 {
            let start = UInt64.random(in: 0..<disk.size, using: &generator)
            let length = UInt64.random(in: 1...min(disk.size - start, 1 << 20), using: &generator)
            let part = start..<start + length
            #expect(
                try read(driver, part) == Array(bytes[Int(part.lowerBound)..<Int(part.upperBound)]),
                "DRAY_SEED=\(generator.seed) \(part)"
            )
        }
    }

    @Test(arguments: StreamFile.recipes, [0, 8 << 20])
    func `threads read stretches of their own in any order`(
        recipe: StreamFile.Recipe,
        room: Int
    ) throws {
        var generator = SeededGenerator(for: "stream threads \(recipe) \(room)")
        let (disk, bytes) = Self.large
        let file = try StreamFile(disk, recipe)
        let driver = try open(file, recipe.kind, room: room)
        let stretch = Self.chunk
        var starts = Array(stride(from: UInt64(0), to: disk.size, by: Int(stretch)))
        // Nearly in order, as a job's ranges are; some come late, as after a retry.
        for index in starts.indices where index % 4 == 1 && index + 2 < starts.count {
            starts.swapAt(index, index + 1 + Int.random(in: 0...1, using: &generator))
        }
        let waiting = Mutex(Array(starts.reversed()))
        let wrong = Mutex<[String]>([])
        let threads = try (0..<4).map { _ in
            try OwnThread {
                while let start = waiting.withLock({ $0.popLast() }) {
                    let range = start..<min(start + stretch, disk.size)
                    let whole = GuestRange(GuestOffset(start), length: UInt64(range.count))
                    let id = driver.beginReading(whole, .unheeded)
                    defer { if let id { driver.endReading(id) } }
                    for part in stride(from: start, to: range.upperBound, by: 700_000) {
                        let piece = part..<min(part + 700_000, range.upperBound)
                        let expected = Array(bytes[Int(piece.lowerBound)..<Int(piece.upperBound)])
                        do {
                            if try read(driver, piece) == expected { continue }
                            wrong.withLock { $0.append("\(piece) differs") }
                        } catch { wrong.withLock { $0.append("\(piece): \(error)") } }
                    }
                }
            }
        }
        for thread in threads { thread.join() }
        #expect(wrong.withLock { $0 } == [], "DRAY_SEED=\(generator.seed)")
    }

    @Test(arguments: ["gzip", "xz of blocks", "zstd of frames, skippable ones between"])
    func `the end of a long stream is reached without decoding all of it`(name: String) throws {
        let recipe = try #require(StreamFile.recipes.first { $0.description == name })
        let size: UInt64 = 40 << 20
        let disk = ImageDescription(
            size: size,
            stretches: (0..<40).map {
                .init(start: $0 << 20, length: 100_000, content: .data(seed: $0))
            }
        )
        // Its last frame would have all but the first 7 MB.
        let script =
            recipe.kind == .zstd
            ? "for i in 0 1 2 3 4 5 6 7; do tail -c +$((i*5242880+1)) $1 | head -c 5242880 | zstd -q -1; done > $2"
            : recipe.script
        let file = try StreamFile(
            disk,
            .init(description: name, kind: recipe.kind, script: script)
        )
        let storage = try file.storage()
        let driver = try StreamDriver(
            storage: storage,
            recipe.kind,
            room: StreamRoom(limit: 96 << 20),
            pulse: .unheeded
        )
        storage.reset()
        let last = size - Self.chunk..<size
        #expect(try read(driver, last) == disk.bytes(last))
        #expect(storage.counts.bytesRead < storage.length / 2)
    }

    @Test func `a reader that stands still holds nobody up for long`() throws {
        let recipe = try #require(StreamFile.recipes.first { $0.kind == .zstd })
        let disk = ImageDescription(
            size: 40 << 20,
            stretches: [.init(start: 0, length: 40 << 20, content: .data(seed: 4))]
        )
        let file = try StreamFile(disk, recipe)
        let driver = try open(file, recipe.kind, room: 0)
        let whole = GuestRange(GuestOffset(0), length: disk.size)
        // This thread says that it reads everything, and does not.
        let id = try #require(driver.beginReading(whole, .unheeded))
        let wrong = Mutex(true)
        let thread = try OwnThread {
            let last = disk.size - Self.chunk..<disk.size
            let isRight = (try? read(driver, last)) == disk.bytes(last)
            wrong.withLock { $0 = !isRight }
        }
        thread.join()
        #expect(wrong.withLock { $0 } == false)
        #expect(try read(driver, 0..<disk.size) == disk.bytes)
        driver.endReading(id)
    }

    @Test(arguments: [StreamKind.gzip, .xz, .zstd])
    func `opening and reading stop when they are told to`(kind: StreamKind) throws {
        let recipe = try #require(StreamFile.recipes.first { $0.kind == kind })
        let disk = ImageDescription(
            size: 8 << 20,
            stretches: [.init(start: 0, length: 8 << 20, content: .data(seed: 5))]
        )
        let file = try StreamFile(disk, recipe)
        let beats = Atomic(0)
        let pulse = Pulse { () throws(DrayError) in
            if beats.add(1, ordering: .relaxed).newValue > 3 {
                throw DrayError(.cancelled, "stopped on request")
            }
        }
        let stopped = #expect(throws: DrayError.self) {
            _ = try StreamDriver(
                storage: file.storage(),
                kind,
                room: StreamRoom(limit: 0),
                pulse: pulse
            )
        }
        #expect(stopped?.kind == .cancelled && beats.load(ordering: .relaxed) == 4)
        let driver = try open(file, kind)
        let whole = GuestRange(GuestOffset(0), length: disk.size)
        let id = try #require(driver.beginReading(whole, pulse))
        let last = disk.size - Self.chunk..<disk.size
        let other = #expect(throws: DrayError.self) { _ = try read(driver, last) }
        #expect(other?.kind == .cancelled)
        driver.endReading(id)
        #expect(try read(driver, last) == disk.bytes(last))
    }
}
