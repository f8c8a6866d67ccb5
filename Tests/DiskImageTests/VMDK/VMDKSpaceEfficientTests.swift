// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage
internal import Testing

/// The entries of seSparse extents: what is absent shows the parent, and what is not known is an error.
@Suite struct VMDKSpaceEfficientTests {
    /// A change to an extent that leaves it right. It tells what the grains are then.
    struct Change: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let make: @Sendable (inout [UInt8], inout VMDKCraft) -> Void
    }

    /// How many entries a table has.
    private static let perTable = 4096
    /// The upper half of a directory's entry that names a table.
    private static let table: UInt64 = 0x1000_0000 << 32

    /// An extent of three tables. The parent has data in the middle of what the second covers.
    private static func craft() -> VMDKCraft {
        var grains = [VMDKCraft.Grain](repeating: .hole, count: 3 * perTable)
        for index in [3, 4, perTable + 1, perTable + 20, 2 * perTable, 3 * perTable - 1] {
            grains[index] = .data
        }
        for index in [0, 5, perTable + 2] { grains[index] = .zero }
        var craft = VMDKCraft(grains)
        craft.form = .spaceEfficient
        return craft
    }

    private static func parent() -> VMDKCraft {
        var craft = VMDKCraft(
            [VMDKCraft.Grain](repeating: .hole, count: 250)
                + [VMDKCraft.Grain](repeating: .data, count: 30)
        )
        (craft.grainSectors, craft.tableEntries, craft.salt) = (128, 512, 77)
        craft.embed(cid: 7)
        return craft
    }

    /// The descriptor of an extent above ``parent()``.
    private static func descriptor(_ craft: VMDKCraft) throws -> [UInt8] {
        let sectors = UInt64(craft.sectors)
        let line = VMDKExtentLine(.readWrite, sectors: sectors, .seSparse, name: "extent")
        var text = VMDKDescriptor(cid: 8, createType: "seSparse", extents: [line])
        (text.parentCID, text.parentFileNameHint) = (7, "parent")
        return Array(try text.text().utf8)
    }

    static let changes: [Change] = [
        Change(testDescription: "as it was made") { _, _ in },
        Change(testDescription: "a table that is not there") { bytes, craft in
            bytes.put(UInt64(0), at: craft.map.directory + 8)
            for index in perTable..<2 * perTable { craft.grains[index] = .hole }
        },
        Change(testDescription: "the first and the last table are not there") { bytes, craft in
            for entry in [0, 2] { bytes.put(UInt64(0), at: craft.map.directory + entry * 8) }
            for index in craft.grains.indices where index / perTable != 1 {
                craft.grains[index] = .hole
            }
        },
        Change(testDescription: "no table at all") { bytes, craft in
            for entry in 0..<3 { bytes.put(UInt64(0), at: craft.map.directory + entry * 8) }
            for index in craft.grains.indices { craft.grains[index] = .hole }
        },
        Change(testDescription: "tables in another order") { bytes, craft in
            let (first, last) = (craft.map.tables[0], craft.map.tables[2])
            let size = perTable * 8
            let other = bytes[first..<first + size]
            bytes.replaceSubrange(first..<first + size, with: bytes[last..<last + size])
            bytes.replaceSubrange(last..<last + size, with: other)
            bytes.put(table | 2, at: craft.map.directory)
            bytes.put(table | 0, at: craft.map.directory + 16)
        },
        Change(testDescription: "unmapped grains, one with a number") { bytes, craft in
            for (index, entry) in [(0, 1 << 60), (3, 1 << 60 | 5)] as [(Int, UInt64)] {
                bytes.put(entry, at: craft.map.tables[1] + index * 8)
                craft.grains[perTable + index] = .zero
            }
        },
        Change(testDescription: "zeroed grains, one with a number") { bytes, craft in
            for (index, entry) in [(1, 2 << 60), (300, 2 << 60 | 9)] as [(Int, UInt64)] {
                bytes.put(entry, at: craft.map.tables[1] + index * 8)
                craft.grains[perTable + index] = .zero
            }
        },
    ]

    @Test(arguments: changes)
    func `what an extent does not have is the parent's, as qemu-img reads it`(change: Change) throws
    {
        var (craft, parent) = (Self.craft(), Self.parent())
        var bytes = try craft.make()
        change.make(&bytes, &craft)
        let files = ["image": try Self.descriptor(craft), "extent": bytes]
        let driver = try VMDKCraft.open(try #require(files["image"]), files)
        let expected = craft.content(below: parent.content())
        for step: UInt64 in [.max, 10_000_000] {
            let found = try QCOW2Workshop.content(of: driver, below: parent.content(), step: step)
            #expect(found == expected)
        }
        #expect(try #require(try driver.check()).corruptions == 0)
        let all = files.merging(["parent": try parent.make()]) { $1 }
        try VMDKReadingTests.compare(all, expected)
    }

    /// Entries that the directory may not have.
    static let badTables: [(entry: UInt64, says: String)] = [
        (1, "no grain table is there"), (0xFFFF_FFFF, "no grain table is there"),
        (2 << 60 | 1, "no grain table is there"), (3 << 60 | 1, "no grain table is there"),
        (15 << 60 | 1, "no grain table is there"), (.max, "no grain table is there"),
        (0x1000_0001 << 32 | 1, "no grain table is there"),
        (0x1800_0000 << 32 | 1, "no grain table is there"),
        (table | 1_000_000, "no grain table is there"),
        (table | 0xFFFF_FFFF, "no grain table is there"),
    ]

    @Test(arguments: badTables)
    func `an entry of the directory that names no table is refused`(entry: UInt64, says: String)
        throws
    {
        var craft = Self.craft()
        var bytes = try craft.make()
        let place = craft.map.directory + 8
        bytes.put(entry, at: place)
        let hex = "entry 1 of the grain directory is 0x\(String(entry, radix: 16)): "
        try expectRefusal(craft, bytes, hex + says, at: place, table: 1)
    }

    @Test func `a table that the file ends in is refused`() throws {
        var craft = Self.craft()
        var bytes = try craft.make()
        let size = Self.perTable * 8
        let number = (bytes.count - craft.map.tables[0] + size - 1) / size
        let place = craft.map.tables[0] + number * size
        bytes += [UInt8](repeating: 0, count: place + 512 - bytes.count)
        bytes.put(Self.table | UInt64(number), at: craft.map.directory + 8)
        try expectRefusal(craft, bytes, "a grain table", at: place, table: 1)
    }

    /// Entries that a table may not have: of types that are not known, and of grains that are not in the file.
    static let badGrains: [UInt64] =
        [1, 0x0FFF << 48] + (4...15).map { $0 << 60 } + [15 << 60 | 5, .max]
        + [3 << 60 | 0x0FFF << 48, 3 << 60 | 1, 3 << 60 | 0x0FFF_FFFF_FFFF_FFFF]

    @Test(arguments: badGrains)
    func `an entry of a table that names no grain is refused`(entry: UInt64) throws {
        var craft = Self.craft()
        var bytes = try craft.make()
        let place = craft.map.tables[2] + 7 * 8
        bytes.put(entry, at: place)
        let guest = (2 * Self.perTable + 7) * 4096
        let says = "offset \(guest) of the extent is 0x\(String(entry, radix: 16))"
        try expectRefusal(craft, bytes, says, at: place, table: 2)
    }

    /// Expects table `table` to be refused, and the others to be read; and the check to find it.
    private func expectRefusal(
        _ craft: VMDKCraft,
        _ bytes: [UInt8],
        _ says: String,
        at place: Int,
        table: Int
    ) throws {
        let driver = try VMDKCraft.open(try Self.descriptor(craft), ["extent": bytes])
        let error = #expect(throws: DrayError.self) { try QCOW2Workshop.content(of: driver) }
        #expect(error?.kind == .corrupt && error?.file == "extent")
        #expect(error?.message.contains(says) == true, "\(error?.description ?? "")")
        #expect(error?.offset == UInt64(place))
        let start = UInt64(table * Self.perTable * 4096)
        var position: UInt64 = 0
        while position < start {
            position += try driver.map(GuestOffset(position), limit: start - position).length
        }
        let report = try #require(try driver.check())
        #expect(report.corruptions == 1, "\(report.findings)")
    }
}
