// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage
internal import Storage
internal import TestSupport
internal import Testing

/// Where tables are: noted exactly, within bounds, and refused beyond them.
@Suite struct VMDKTablePlacesTests {
    @Test func `what tables have is known sector by sector, in whatever order they come`() throws {
        for seed in SeededGenerator.seeds(20) {
            var random = SeededGenerator(seed: seed)
            let tableSectors = Int.random(in: 1...5, using: &random)
            let base = UInt64.random(in: 0...3, using: &random) * 512
            var places = VMDKTablePlaces(tableSize: UInt64(tableSectors * 512), base: base)
            var isTaken = [Bool](repeating: false, count: 400)
            for _ in 0..<Int.random(in: 0...80, using: &random) {
                let first = Int.random(in: 0..<390, using: &random)
                try Self.add(base + UInt64(first * 512), &places)
                for sector in first..<first + tableSectors { isTaken[sector] = true }
            }
            try Self.finish(&places)
            let edges = zip([false] + isTaken, isTaken).count { !$0 && $1 }
            #expect(places.count == edges, "seed \(seed)")
            let last = isTaken.lastIndex(of: true).map { base + UInt64($0 + 1) * 512 }
            #expect(places.end == last ?? 0)
            for _ in 0..<300 {
                let first = Int.random(in: 0..<399, using: &random)
                let count = Int.random(in: 1...min(20, 400 - first), using: &random)
                let start = base + UInt64(first * 512)
                #expect(
                    places.overlaps(start, UInt64(count * 512))
                        == isTaken[first..<first + count].contains(true),
                    "seed \(seed): \(first), \(count)"
                )
            }
            #expect(base == 0 || !places.overlaps(0, base))
        }
    }

    @Test func `only so many stretches are noted`() throws {
        var places = VMDKTablePlaces(tableSize: 512, limit: 10)
        for _ in 0..<5 {
            for index: UInt64 in 0..<10 { try Self.add(index * 1024, &places) }
        }
        try Self.finish(&places)
        #expect(places.count == 10)
        // What fills the gaps is no more.
        for index: UInt64 in 0..<10 { try Self.add(512 + index * 1024, &places) }
        try Self.finish(&places)
        #expect(places.count == 1)
        var isNoted = true
        for index: UInt64 in 0..<15 { isNoted = isNoted && places.add(100_000 + index * 1024) }
        isNoted = isNoted && places.finish()
        #expect(!isNoted)
    }

    @Test func `a stretch of many gigabytes is one without gaps`() throws {
        var places = VMDKTablePlaces(tableSize: 64 * 512)
        let tables: UInt64 = (1 << 24) * 2 / 64 + 3
        let sectors = tables * 64
        for block in stride(from: 0, to: tables, by: 1 << 12).reversed() {
            for table in block..<min(block + 1 << 12, tables) {
                try Self.add((7 + table * 64) * 512, &places)
            }
        }
        try Self.finish(&places)
        #expect(places.count <= 3 && places.end == (7 + sectors) * 512)
        #expect(!places.overlaps(0, 7 * 512) && !places.overlaps((7 + sectors) * 512, 512))
        for sector in stride(from: 7, to: 7 + sectors, by: 1 << 20) {
            #expect(places.overlaps(sector * 512, 1))
        }
        for sector in [(1 << 24) - 1, 1 << 24, (1 << 24) + 6, 1 << 25] as [UInt64] {
            #expect(places.overlaps(sector * 512, 512))
        }
    }

    private static func add(_ place: UInt64, _ places: inout VMDKTablePlaces) throws {
        let isNoted = places.add(place)
        try #require(isNoted)
    }

    private static func finish(_ places: inout VMDKTablePlaces) throws {
        let isNoted = places.finish()
        try #require(isNoted)
    }

    @Test func `a disk that finds the room taken by others gets it once they are closed`() throws {
        let pool = VMDKTableRoom.Pool(most: 100)
        let disk = VMDKTableRoom(of: pool)
        do {
            let other = VMDKTableRoom(of: pool)
            try other.take(40, file: "other")
            try other.take(20, file: "other")
            let error = #expect(throws: DrayError.self) { try disk.take(41, file: "disk") }
            #expect(error?.kind == .resource && error?.file == "disk")
            #expect(error?.message.contains("no room to note 41 places") == true)
            // What was refused has taken nothing.
            try disk.take(40, file: "disk")
            #expect(throws: DrayError.self) { try other.take(1, file: "other") }
        }
        try disk.take(60, file: "disk")
        #expect(throws: DrayError.self) { try disk.take(1, file: "disk") }
    }

    /// Makes a sparse file of an extent with `count` tables of one entry, each with a gap behind it. The first names a grain in the last
    /// table. Returns its sectors.
    private static func scattered(_ count: Int, _ workshop: QCOW2Workshop) throws -> UInt64 {
        var header = VMDKSparseHeader(capacity: UInt64(count) * 8)
        (header.grainSize, header.tableEntries, header.directory) = (8, 1, 1)
        let first = 1 + (count * 4 + 511) / 512
        var bytes = [UInt8](repeating: 0, count: first * 512 + 4)
        bytes.replaceSubrange(0..<512, with: header.serialized())
        for index in 0..<count {
            bytes.put(UInt32(first + index * 2), at: 512 + index * 4)
        }
        let last = first + (count - 1) * 2
        bytes.put(UInt32(last - 7), at: first * 512)
        try workshop.write("part", bytes)
        try workshop.shell("truncate -s \((last + 8) * 512) part")
        return header.capacity
    }

    /// A disk of `extents` extents of `sectors` that are all that file.
    private static func open(
        _ sectors: UInt64,
        extents: Int = 1,
        _ workshop: QCOW2Workshop
    ) throws -> VMDKDriver {
        let line = VMDKExtentLine(.readWrite, sectors: sectors, .sparse, name: "part")
        let lines = [VMDKExtentLine](repeating: line, count: extents)
        let text = try VMDKDescriptor(cid: 1, createType: "custom", extents: lines).text()
        let descriptor = MemoryStorage(name: "disk", bytes: Array(text.utf8))
        return try VMDKDriver(storage: descriptor) { name throws(DrayError) in
            try workshop.storage(name)
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func `a grain in one of more than a million scattered tables is refused`() throws {
        let workshop = try QCOW2Workshop()
        let driver = try Self.open(Self.scattered((1 << 20) + 5000, workshop), workshop)
        let error = #expect(throws: DrayError.self) { try driver.map(GuestOffset(0), limit: 4096) }
        #expect(error?.kind == .corrupt, "\(error?.description ?? "")")
        #expect(error?.message.contains("the grain would lie in a grain table") == true)
    }

    @Test(.timeLimit(.minutes(5)))
    func `tables in more places than can be noted are refused`() throws {
        let workshop = try QCOW2Workshop()
        let driver = try Self.open(Self.scattered(VMDKTablePlaces.most + 1, workshop), workshop)
        let error = #expect(throws: DrayError.self) { try driver.map(GuestOffset(0), limit: 4096) }
        #expect(error?.kind == .unsupported && error?.file?.hasSuffix("part") == true)
        #expect(error?.message.contains("more than 2097152 places") == true)
    }

    @Test(.timeLimit(.minutes(5)))
    func `the extents of a disk have room together, which is free again once it is closed`() throws
    {
        let workshop = try QCOW2Workshop()
        let sectors = try Self.scattered(VMDKTablePlaces.most / 2 + 1, workshop)
        // Nine together would have more than all disks may.
        for _ in 0..<9 {
            let driver = try Self.open(sectors, extents: 2, workshop)
            #expect(try driver.map(GuestOffset(4096), limit: 4096).length == 4096)
        }
        let driver = try Self.open(sectors, extents: 2, workshop)
        _ = try driver.map(GuestOffset(4096), limit: 4096)
        let second = GuestOffset(sectors * 512 + 4096)
        let error = #expect(throws: DrayError.self) { try driver.map(second, limit: 4096) }
        #expect(error?.kind == .unsupported, "\(error?.description ?? "")")
    }
}
