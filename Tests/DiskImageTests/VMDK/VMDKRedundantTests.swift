// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage
internal import Storage
internal import Testing

/// Redundant directories and tables: they make damage good, and do none.
@Suite struct VMDKRedundantTests {
    typealias Damage = VMDKMalformedTests.Damage

    /// What the redundant tables make good.
    static let mended: [Damage] = [
        Damage(testDescription: "the directory is zeros", kind: .corrupt, says: "") { bytes, map in
            for index in map.directory..<map.directory + 512 { bytes[index] = 0 }
        },
        Damage(testDescription: "the directory is noise", kind: .corrupt, says: "") { bytes, map in
            for index in map.directory..<map.directory + 512 { bytes[index] = 0xF7 }
        },
        Damage(testDescription: "the directory is beyond the end", kind: .corrupt, says: "") {
            bytes,
            _ in bytes.put(UInt64(1) << 50, at: 56)
        },
        Damage(testDescription: "no directory", kind: .corrupt, says: "") { bytes, _ in
            bytes.put(UInt64(0), at: 56)
        },
        Damage(testDescription: "an entry of the directory", kind: .corrupt, says: "") {
            bytes,
            map in
            bytes.put(UInt32.max, at: map.directory + 4)
        },
        Damage(testDescription: "tables are zeros", kind: .corrupt, says: "") { bytes, map in
            for table in map.tables { for place in table..<table + 512 { bytes[place] = 0 } }
        },
        Damage(testDescription: "entries that name metadata", kind: .corrupt, says: "") {
            bytes,
            map in
            for entry in 0..<16 { bytes.put(UInt32(entry + 2), at: map.tables[1] + entry * 4) }
            bytes.put(UInt32(1), at: map.directory + 8)
        },
        Damage(testDescription: "entries of a table", kind: .corrupt, says: "") { bytes, map in
            for entry in 0..<16 { bytes.put(UInt32.max, at: map.tables[1] + entry * 4) }
        },
        Damage(
            testDescription: "a table of noise, zeros and other grains",
            kind: .corrupt,
            says: ""
        ) {
            bytes,
            map in
            let noise = [UInt32.max, 0, UInt32(map.grains[3] / 512), 0]
            for entry in 0..<16 { bytes.put(noise[entry % 4], at: map.tables[1] + entry * 4) }
        },
    ]

    @Test(arguments: mended)
    func `redundant tables make damage good`(damage: Damage) throws {
        var craft = VMDKMalformedTests.craft(redundant: true)
        var bytes = try craft.make()
        damage.change(&bytes, craft.map)
        #expect(try VMDKCraft.readAll(bytes) == craft.content())
        let report = try #require(try VMDKCraft.open(bytes).check())
        #expect(report.corruptions > 0)
        // Without them it is found, but for zeros: a disk may be empty.
        bytes[8] &= ~2
        if damage.testDescription.hasSuffix("are zeros") { return }
        if damage.testDescription.hasSuffix("is zeros") { return }
        #expect(throws: DrayError.self) { try VMDKCraft.readAll(bytes) }
    }

    @Test func `redundant tables that were never filled make nothing zeros`() throws {
        var craft = VMDKMalformedTests.craft(redundant: true)
        var bytes = try craft.make()
        // Behind the directory the tables follow, a sector each.
        for index in craft.map.redundant + 512..<craft.map.redundant + 4 * 512 { bytes[index] = 0 }
        #expect(try VMDKCraft.readAll(bytes) == craft.content())
        bytes.put(UInt32.max, at: craft.map.tables[1] + 4)
        let error = #expect(throws: DrayError.self) { try VMDKCraft.readAll(bytes) }
        #expect(error?.kind == .corrupt)
    }

    /// Damage that only tables could make good, where those were never filled.
    static let unfilled: [Damage] = [
        Damage(testDescription: "an entry of the directory", kind: .corrupt, says: "table 1") {
            bytes,
            map in bytes.put(UInt32.max, at: map.directory + 4)
        },
        Damage(testDescription: "the directory is beyond the end", kind: .corrupt, says: "table 0")
        { bytes, _ in bytes.put(UInt64(1) << 50, at: 56) },
        Damage(
            testDescription: "the directory is beyond the end, the other one is zeros",
            kind: .corrupt,
            says: "the grain directory"
        ) { bytes, map in
            bytes.put(UInt64(1) << 50, at: 56)
            for index in map.redundant..<map.redundant + 512 { bytes[index] = 0 }
        },
    ]

    @Test(arguments: unfilled)
    func `what redundant tables that were never filled would say is not taken for zeros`(
        damage: Damage
    ) throws {
        var craft = VMDKMalformedTests.craft(redundant: true)
        var bytes = try craft.make()
        for index in craft.map.redundant + 512..<craft.map.redundant + 4 * 512 { bytes[index] = 0 }
        damage.change(&bytes, craft.map)
        let error = #expect(throws: DrayError.self) { try VMDKCraft.readAll(bytes) }
        #expect(error?.kind == .corrupt)
        #expect(error?.description.contains(damage.says) == true, "\(error?.description ?? "")")
    }

    @Test
    func `a damaged entry of the directory is zeros where its redundant table alone is empty`()
        throws
    {
        var craft = VMDKMalformedTests.craft(redundant: true)
        var bytes = try craft.make()
        let table = craft.map.redundant + 2 * 512
        for index in table..<table + 512 { bytes[index] = 0 }
        bytes.put(UInt32.max, at: craft.map.directory + 4)
        let (content, read) = (craft.content(), try VMDKCraft.readAll(bytes))
        let covered = 16 * 4096
        #expect(read[covered..<2 * covered].allSatisfy { $0 == 0 })
        #expect(read[..<covered] == content[..<covered])
    }

    /// What an entry of the redundant directory may be damaged to: the place of other metadata or of a grain.
    static let misled: [Damage] = [
        Damage(testDescription: "another redundant table", kind: .corrupt, says: "") { bytes, map in
            bytes.put(UInt32(map.redundant / 512 + 1), at: map.redundant + 4)
        },
        Damage(testDescription: "another table", kind: .corrupt, says: "") { bytes, map in
            bytes.put(UInt32(map.tables[2] / 512), at: map.redundant + 4)
        },
    ]

    @Test(arguments: misled)
    func `a table that is empty stays so where its redundant one is another's`(damage: Damage)
        throws
    {
        let grains = [[VMDKCraft.Grain]](
            [[.data], [.hole], [.data]].map { Array(repeating: $0[0], count: 16) }
        )
        var craft = VMDKCraft.embedded(grains.flatMap { $0 })
        craft.isRedundant = true
        var bytes = try craft.make()
        damage.change(&bytes, craft.map)
        #expect(try VMDKCraft.readAll(bytes) == craft.content())
        let report = try #require(try VMDKCraft.open(bytes).check())
        #expect(report.corruptions == 0 && report.findings.count == 1)
        try VMDKReadingTests.compare(["image": bytes], craft.content())
        // Where the directory has no such table, nothing tells whose it is.
        bytes.put(UInt32(0), at: craft.map.directory + 4)
        let error = #expect(throws: DrayError.self) { try VMDKCraft.readAll(bytes) }
        #expect(error?.kind == .corrupt)
    }

    @Test func `a table that is empty stays so where its redundant one has the grain of another`()
        throws
    {
        var craft = VMDKCraft.embedded(
            Array(repeating: .data, count: 16) + Array(repeating: .hole, count: 16) + [.data]
        )
        craft.isRedundant = true
        var bytes = try craft.make()
        let (map, content) = (craft.map, craft.content())
        bytes.put(UInt32(map.grains[3] / 512 + 1), at: map.redundant + 2 * 512 + 20)
        #expect(try VMDKCraft.readAll(bytes) == content)
        try VMDKReadingTests.compare(["image": bytes], content)
        // A grain that no other table has was the table's: nothing tells what else it had.
        for place in map.tables[2]..<map.tables[2] + 4 { bytes[place] = 0 }
        bytes.put(UInt32(map.grains[32] / 512), at: map.redundant + 2 * 512 + 24)
        let error = #expect(throws: DrayError.self) { try VMDKCraft.readAll(bytes) }
        #expect(error?.description.contains("table 1 is empty") == true)
    }

    @Test func `grains where a redundant table would be are no zeros`() throws {
        var craft = VMDKMalformedTests.craft(redundant: true)
        var bytes = try craft.make()
        // What is there reads as a table without a grain, but for one that is in no file.
        for place in craft.map.grains[3]..<craft.map.grains[3] + 512 { bytes[place] = 0 }
        bytes.put(UInt32.max, at: craft.map.grains[3])
        bytes.put(UInt32(craft.map.grains[3] / 512), at: craft.map.redundant)
        let error = #expect(throws: DrayError.self) { try VMDKCraft.readAll(bytes) }
        #expect(error?.description.contains("the grain would lie in a grain table") == true)
    }

    @Test(arguments: [true, false])
    func `what cannot be read of redundant metadata is an error and no zeros`(isTable: Bool) throws
    {
        var craft = VMDKMalformedTests.craft(redundant: true)
        var bytes = try craft.make()
        let (map, content) = (craft.map, craft.content())
        let damaged = isTable ? map.tables[1] : map.directory
        for place in damaged..<damaged + 512 { bytes[place] = 0 }
        let lost = UInt64(map.redundant + (isTable ? 2 * 512 : 0))
        for isLost in [false, true] {
            let storage = UnreadableStorage(bytes, lost..<(isLost ? lost + 512 : lost))
            func read() throws -> [UInt8] {
                let driver = try VMDKDriver(storage: storage) { name throws(DrayError) in
                    throw DrayError(.refused, "extent \(name)")
                }
                return try QCOW2Workshop.content(of: driver)
            }
            guard isLost else {
                #expect(try read() == content)
                continue
            }
            let error = #expect(throws: DrayError.self) { try read() }
            #expect(error?.kind == .resource)
        }
    }

    /// Bytes of which some cannot be read.
    private final class UnreadableStorage: ReadOnlyStorage {
        private let base: MemoryStorage
        private let lost: Range<UInt64>

        init(_ bytes: [UInt8], _ lost: Range<UInt64>) {
            base = MemoryStorage(name: "image", bytes: bytes)
            self.lost = lost
        }

        var name: String { base.name }
        var length: UInt64 { base.length }
        var alignment: IOAlignment { base.alignment }
        var isZeroInitialized: Bool { false }

        func read(_ offset: HostOffset, into buffer: AlignedBuffer, _ range: Range<Int>)
            throws(DrayError)
        {
            guard !lost.overlaps(offset.bytes..<offset.bytes + UInt64(range.count)) else {
                throw DrayError(.resource, "cannot be read", file: name, offset: offset.bytes)
            }
            try base.read(offset, into: buffer, range)
        }

        func extent(at offset: HostOffset, limit: UInt64) throws(DrayError) -> StorageExtent {
            try base.extent(at: offset, limit: limit)
        }

        func identity() throws(DrayError) -> StorageIdentity { try base.identity() }
    }

    /// Damage to the redundant tables alone.
    static let spare: [Damage] = [
        Damage(testDescription: "rgdOffset is a grain's place", kind: .corrupt, says: "") {
            bytes,
            map in bytes.put(UInt64(map.grains[3] / 512), at: 48)
        },
        Damage(testDescription: "rgdOffset is the place of zeros", kind: .corrupt, says: "") {
            bytes,
            map in
            bytes.put(UInt64(map.grains[3] / 512), at: 48)
            for place in map.grains[3]..<map.grains[3] + 4096 { bytes[place] = 0 }
        },
        Damage(testDescription: "rgdOffset is beyond the end", kind: .corrupt, says: "") {
            bytes,
            _ in bytes.put(UInt64.max, at: 48)
        },
        Damage(testDescription: "the redundant directory is noise", kind: .corrupt, says: "") {
            bytes,
            map in
            for index in map.redundant..<map.redundant + 512 { bytes[index] = 0xF7 }
        },
        Damage(testDescription: "no rgdOffset", kind: .corrupt, says: "") { bytes, _ in
            bytes.put(UInt64(0), at: 48)
        },
        Damage(testDescription: "an entry of the redundant directory", kind: .corrupt, says: "") {
            bytes,
            map in bytes.put(UInt32(0), at: map.redundant + 4)
        },
        Damage(testDescription: "an entry of a redundant table", kind: .corrupt, says: "") {
            bytes,
            map in
            // Behind the directory the tables follow, a sector each.
            bytes.put(UInt32(map.grains[0] / 512), at: map.redundant + 3 * 512)
        },
    ]

    @Test(arguments: spare)
    func `a redundant directory that is damaged does no harm, but for a warning`(
        damage: Damage
    ) throws {
        var craft = VMDKMalformedTests.craft(redundant: true)
        var bytes = try craft.make()
        #expect(try VMDKCraft.open(bytes).check()?.findings == [])
        damage.change(&bytes, craft.map)
        let report = try #require(try VMDKCraft.open(bytes).check())
        #expect(report.corruptions + report.leaks + report.checkErrors == 0)
        #expect(report.findings.count == 1)
        #expect(report.findings.first?.contains("WARNING image: the redundant") == true)
        var expected = craft.content()
        if damage.testDescription.hasSuffix("zeros") {
            for place in 3 * 4096..<4 * 4096 { expected[place] = 0 }
        }
        #expect(try VMDKCraft.readAll(bytes) == expected)
        // qemu-img reads the redundant directory as it opens the disk, and takes the header for it where there is none.
        if damage.testDescription.hasSuffix("beyond the end") { return }
        try VMDKReadingTests.compare(["image": bytes], expected)
    }
}
