// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage
internal import Storage
internal import TestSupport
internal import Testing

/// Damaged disks end in an error that names what and where, or are read by their redundant tables: never as zeros.
@Suite struct VMDKMalformedTests {
    /// A way to damage an extent, and what the error says.
    struct Damage: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let kind: DrayError.Kind
        let says: String
        var stream = false
        let change: @Sendable (inout [UInt8], VMDKCraft.Map) -> Void
    }

    /// A disk of three tables with each sort of grain.
    static func craft(redundant: Bool = false, stream: Bool = false) -> VMDKCraft {
        var craft = VMDKCraft(
            [VMDKCraft.Grain](repeating: .data, count: 40) + [.hole, .zero, .data]
        )
        craft.isRedundant = redundant
        if stream {
            craft.isCompressed = true
            craft.hasMarkers = true
            craft.place = .footer
            craft.version = 3
        }
        craft.embed()
        return craft
    }

    static let damages: [Damage] = [
        Damage(testDescription: "cut in the header", kind: .corrupt, says: "too short") {
            bytes,
            _ in
            bytes.removeLast(bytes.count - 511)
        },
        Damage(testDescription: "cut in the descriptor", kind: .corrupt, says: "descriptor") {
            bytes,
            _ in
            bytes.removeLast(bytes.count - 5000)
        },
        Damage(testDescription: "cut before the grains", kind: .corrupt, says: "overHead") {
            bytes,
            map in
            bytes.removeLast(bytes.count - map.grains[0] + 512)
        },
        Damage(testDescription: "overHead over 2^64", kind: .corrupt, says: "overHead") {
            bytes,
            _ in bytes.put(UInt64(1) << 55 | 128, at: 64)
        },
        Damage(testDescription: "cut in a grain", kind: .corrupt, says: "no grain is there") {
            bytes,
            _ in
            bytes.removeLast()
        },
        Damage(
            testDescription: "no embedded descriptor",
            kind: .unsupported,
            says: "without its descriptor"
        ) {
            bytes,
            _ in bytes.put(UInt64(0), at: 28)
        },
        Damage(testDescription: "a huge descriptor", kind: .unsupported, says: "descriptor has") {
            bytes,
            _ in bytes.put(UInt64(1) << 40, at: 36)
        },
        Damage(
            testDescription: "descriptorOffset over 2^64",
            kind: .corrupt,
            says: "descriptorOffset"
        ) {
            bytes,
            _ in bytes.put(UInt64.max, at: 28)
        },
        Damage(testDescription: "capacity 0", kind: .corrupt, says: "sectors") { bytes, _ in
            bytes.put(UInt64(0), at: 12)
        },
        Damage(testDescription: "capacity of another disk", kind: .corrupt, says: "header tells") {
            bytes,
            _ in bytes.put(UInt64(100_000), at: 12)
        },
        Damage(
            testDescription: "capacity of half a grain more",
            kind: .corrupt,
            says: "348 sectors"
        ) {
            bytes,
            _ in
            bytes.put(UInt64(348), at: 12)
        },
        Damage(
            testDescription: "a directory of 2^30 entries",
            kind: .unsupported,
            says: "has 1073741824 entries"
        ) { bytes, _ in
            let sectors = UInt64(1) << 33
            bytes.put(sectors, at: 12)
            bytes.put(UInt32(1), at: 44)
            replace(&bytes, "RW 344 ", "RW \(sectors) ")
        },
        Damage(testDescription: "gdOffset 0", kind: .corrupt, says: "header is") { bytes, _ in
            bytes.put(UInt64(0), at: 56)
        },
        Damage(testDescription: "gdOffset beyond the end", kind: .corrupt, says: "grain directory")
        {
            bytes,
            _ in bytes.put(UInt64(bytes.count / 512), at: 56)
        },
        Damage(testDescription: "gdOffset over 2^64", kind: .corrupt, says: "gdOffset") {
            bytes,
            _ in
            bytes.put(UInt64.max - 1, at: 56)
        },
        Damage(testDescription: "a footer that is not there", kind: .corrupt, says: "footer") {
            bytes,
            _ in
            bytes.put(UInt64.max, at: 56)
        },
        Damage(
            testDescription: "a table beyond the end",
            kind: .corrupt,
            says: "entry 1 of the grain directory is 0xffffffff"
        ) {
            bytes,
            map in bytes.put(UInt32.max, at: map.directory + 4)
        },
        Damage(testDescription: "a table cut off", kind: .corrupt, says: "grain table") {
            bytes,
            map in
            bytes.put(UInt32(bytes.count / 512), at: map.directory + 4)
            bytes += [0, 0, 0]
        },
        Damage(
            testDescription: "a grain beyond the end",
            kind: .corrupt,
            says: "offset 69632 of the extent is 0xfffffffe"
        ) {
            bytes,
            map in bytes.put(UInt32.max - 1, at: map.tables[1] + 4)
        },
        Damage(
            testDescription: "a grain half beyond the end",
            kind: .corrupt,
            says: "no grain is there"
        ) {
            bytes,
            map in bytes.put(UInt32(bytes.count / 512 - 1), at: map.tables[1] + 4)
        },
        Damage(
            testDescription: "a grain in the descriptor",
            kind: .corrupt,
            says: "the grain would lie in the descriptor"
        ) {
            bytes,
            map in bytes.put(UInt32(20), at: map.tables[1] + 4)
        },
        Damage(
            testDescription: "a grain in the directory",
            kind: .corrupt,
            says: "the grain would lie in the grain directory"
        ) {
            bytes,
            map in bytes.put(UInt32(map.directory / 512), at: map.tables[1] + 4)
        },
        Damage(
            testDescription: "a grain in a table",
            kind: .corrupt,
            says: "offset 69632 of the extent is 0x18: the grain would lie in a grain table"
        ) {
            bytes,
            map in bytes.put(UInt32(map.tables[2] / 512), at: map.tables[1] + 4)
        },
        Damage(
            testDescription: "a table in the descriptor",
            kind: .corrupt,
            says:
                "entry 1 of the grain directory is 0x14: a grain table would lie in the descriptor"
        ) {
            bytes,
            map in bytes.put(UInt32(20), at: map.directory + 4)
        },
        Damage(
            testDescription: "a table in the directory",
            kind: .corrupt,
            says: "a grain table would lie in the grain directory"
        ) {
            bytes,
            map in bytes.put(UInt32(map.directory / 512), at: map.directory + 4)
        },
        Damage(testDescription: "a zeroed grain without the flag", kind: .corrupt, says: "is 0x1") {
            bytes,
            _ in bytes[8] &= ~4
        },
        Damage(
            testDescription: "a parentCID without a hint",
            kind: .corrupt,
            says: "parentFileNameHint"
        ) {
            bytes,
            _ in replace(&bytes, "parentCID=ffffffff", "parentCID=12345678")
        },
        Damage(testDescription: "an embedded flat extent", kind: .unsupported, says: "alone") {
            bytes,
            _ in
            replace(&bytes, "SPARSE \"image\"", "VMFS   \"image\"")
        },
        Damage(testDescription: "two embedded extents", kind: .unsupported, says: "alone") {
            bytes,
            _ in
            replace(&bytes, "# The Disk Data", "RW 1 ZERO\n#The Di")
        },
        Damage(testDescription: "the footer's marker", kind: .corrupt, says: "marker", stream: true)
        {
            bytes,
            _ in bytes[bytes.count - 1536 + 12] = 2
        },
        Damage(testDescription: "no end of stream", kind: .corrupt, says: "footer", stream: true) {
            bytes,
            _ in bytes.removeLast(512)
        },
        Damage(
            testDescription: "a footer of another disk",
            kind: .corrupt,
            says: "something else",
            stream: true
        ) {
            bytes,
            _ in bytes.put(UInt64(7), at: bytes.count - 1024 + 12)
        },
        Damage(
            testDescription: "a footer without a directory",
            kind: .corrupt,
            says: "something else",
            stream: true
        ) {
            bytes,
            _ in bytes.put(UInt64.max, at: bytes.count - 1024 + 56)
        },
        Damage(
            testDescription: "a stream that is damaged",
            kind: .corrupt,
            says: "offset 8192 of the extent cannot be read",
            stream: true
        ) {
            bytes,
            map in bytes[map.grains[2] + 100] ^= 1
        },
        Damage(
            testDescription: "a stream of nothing",
            kind: .corrupt,
            says: "stream of 0 bytes",
            stream: true
        ) {
            bytes,
            map in bytes.put(UInt32(0), at: map.grains[2] + 8)
        },
        Damage(
            testDescription: "a stream that is too long",
            kind: .corrupt,
            says: "by its marker",
            stream: true
        ) {
            bytes,
            map in bytes.put(UInt32(8193), at: map.grains[2] + 8)
        },
        Damage(
            testDescription: "a stream cut short",
            kind: .corrupt,
            says: "damaged or cut off",
            stream: true
        ) {
            bytes,
            map in bytes.put(UInt32(2000), at: map.grains[2] + 8)
        },
        Damage(
            testDescription: "a marker of another grain",
            kind: .corrupt,
            says: "marker of sector 9",
            stream: true
        ) {
            bytes,
            map in bytes.put(UInt64(9), at: map.grains[2])
        },
        Damage(
            testDescription: "a stream of fewer bytes",
            kind: .corrupt,
            says: "has only 100 bytes",
            stream: true
        ) {
            bytes,
            map in swap(&bytes, map.grains[2], [UInt8](repeating: 1, count: 100))
        },
        Damage(
            testDescription: "a stream of more bytes",
            kind: .corrupt,
            says: "more bytes",
            stream: true
        ) {
            bytes,
            map in swap(&bytes, map.grains[2], [UInt8](repeating: 1, count: 4097))
        },
    ]

    private static func replace(_ bytes: inout [UInt8], _ old: String, _ new: String) {
        let text = String(decoding: bytes[512..<21 * 512], as: UTF8.self)
        bytes.replaceSubrange(512..<21 * 512, with: Array(text.replacing(old, with: new).utf8))
    }

    /// Puts the stream of `content` behind the marker at `place`.
    private static func swap(_ bytes: inout [UInt8], _ place: Int, _ content: [UInt8]) {
        let stream = VMDKCraft.zlib(content)
        bytes.put(UInt32(stream.count), at: place + 8)
        bytes.replaceSubrange(place + 12..<place + 12 + stream.count, with: stream)
    }

    @Test(arguments: damages)
    func `a damaged disk ends in an error that names what and where`(damage: Damage) throws {
        var craft = Self.craft(stream: damage.stream)
        var bytes = try craft.make()
        #expect(try VMDKCraft.readAll(bytes) == craft.content())
        damage.change(&bytes, craft.map)
        let error = #expect(throws: DrayError.self) { try VMDKCraft.readAll(bytes) }
        #expect(error?.kind == damage.kind, "\(error?.description ?? "")")
        #expect(error?.message.contains(damage.says) == true, "\(error?.description ?? "")")
        #expect(error?.file == "image" && error?.offset != nil)
    }

    @Test(arguments: damages)
    func `what cannot be read is found by check, too`(damage: Damage) throws {
        var craft = Self.craft(stream: damage.stream)
        var bytes = try craft.make()
        damage.change(&bytes, craft.map)
        // Streams are not decoded by a check, as with qcow2.
        guard !damage.testDescription.hasPrefix("a stream"),
            !damage.testDescription.hasPrefix("a marker"), let driver = try? VMDKCraft.open(bytes)
        else { return }
        let report = try #require(try driver.check())
        #expect(report.corruptions > 0 && !report.findings.isEmpty)
    }

    @Test func `two places of the disk with one grain are found by check`() throws {
        var craft = Self.craft()
        var bytes = try craft.make()
        bytes.put(UInt32(craft.map.grains[3] / 512), at: craft.map.tables[0])
        let report = try #require(try VMDKCraft.open(bytes).check())
        #expect(report.corruptions == 1)
        #expect(report.findings.first?.contains("12288") == true, "\(report.findings)")
    }

    @Test func `a directory that names one table again and again is refused`() throws {
        var craft = VMDKCraft([VMDKCraft.Grain](repeating: .data, count: 16))
        craft.tableEntries = 512
        craft.embed()
        var bytes = try craft.make()
        let tables = 8192
        var header = try VMDKSparseHeader(bytes, file: "x")
        header.capacity = UInt64(tables * 512 * 8)
        header.directory = UInt64(bytes.count / 512)
        bytes.replaceSubrange(0..<512, with: header.serialized())
        Self.replace(&bytes, "RW 128 ", "RW \(header.capacity) ")
        bytes = Array(bytes.prefix(Int(header.directory) * 512))
        for _ in 0..<tables { bytes += [UInt8(craft.map.tables[0] / 512), 0, 0, 0] }
        let error = #expect(throws: DrayError.self) {
            try VMDKCraft.open(bytes).map(GuestOffset(0), limit: .max)
        }
        #expect(error?.message.contains("more grain tables") == true)
    }

    /// Expects the disk to be read right as it is, and refused in words that say so when its extent is damaged.
    private func expectRefusal(
        _ craft: inout VMDKCraft,
        _ kind: VMDKExtentLine.Kind,
        _ createType: String,
        _ says: String,
        _ damage: (inout [UInt8]) -> Void
    ) throws {
        var files = try VMDKReadingTests.disk(&craft, kind, createType)
        let image = try #require(files["image"])
        #expect(try VMDKCraft.readAll(image, files) == craft.content())
        if var extent = files["extent"] {
            damage(&extent)
            files["extent"] = extent
        }
        let error = #expect(throws: DrayError.self) { try VMDKCraft.readAll(image, files) }
        #expect(error?.message.contains(says) == true, "\(error?.description ?? "")")
        #expect(error?.file == "extent")
    }

    static let cowd: [(offset: Int, value: UInt32, says: String)] = [
        (4, 2, "version 2"), (16, 0, "grainSize"), (16, 3, "grainSize"), (16, 1 << 20, "grainSize"),
        (24, 0, "numGDEntries"), (20, 0, "header is"), (20, .max, "grain directory"),
        (12, 1 << 20, "numGDEntries"), (12, 5, "sectors"),
    ]

    @Test(arguments: cowd)
    func `a damaged COWD header is refused`(offset: Int, value: UInt32, says: String) throws {
        var craft = VMDKCraft([.data, .hole, .data])
        craft.form = .cowd
        try expectRefusal(&craft, .vmfsSparse, "vmfsSparse", says) { $0.put(value, at: offset) }
    }

    static let spaceEfficient: [(offset: Int, value: UInt64, says: String)] = [
        (8, 1, "version"), (24, 16, "grain size"), (32, 8, "table size"), (40, 1, "reserved"),
        (72, 1, "reserved"), (80, 2, "volatile"), (512, 1, "volatile"), (536, 1, "journal"),
        (16, .max, "larger than any disk"), (128, .max, "larger than any disk"),
        (128, 0, "header is"), (136, 0, "0 entries"), (144, 1 << 40, "grain directory"),
        (192, 1 << 40, "no grain is there"), (128, 1 << 40, "grain directory"),
    ]

    @Test(arguments: spaceEfficient)
    func `a damaged seSparse header is refused`(offset: Int, value: UInt64, says: String) throws {
        var craft = VMDKCraft([.data, .zero, .hole, .data])
        craft.form = .spaceEfficient
        try expectRefusal(&craft, .seSparse, "seSparse", says) { $0.put(value, at: offset) }
    }

    @Test func `grains of ESX's extents are not in their metadata either`() throws {
        var craft = VMDKCraft([.data, .hole, .data])
        craft.form = .cowd
        _ = try craft.make()
        let table = craft.map.tables[0]
        try expectRefusal(&craft, .vmfsSparse, "vmfsSparse", "would lie in the header") {
            $0.put(UInt32(3), at: table)
        }
        try expectRefusal(&craft, .vmfsSparse, "vmfsSparse", "would lie in a grain table") {
            $0.put(UInt32(table / 512 + 1), at: table)
        }
        craft.form = .spaceEfficient
        _ = try craft.make()
        let directory = craft.map.directory
        try expectRefusal(&craft, .seSparse, "seSparse", "would lie in the grain directory") {
            $0.put(UInt64(directory / 512), at: 192)
        }
    }

    @Test(arguments: [4 << 60, 1, 15 << 60 | 5] as [UInt64])
    func `an entry of a type that is not known is refused`(entry: UInt64) throws {
        var craft = VMDKCraft([.data, .zero, .hole, .data])
        craft.form = .spaceEfficient
        var files = try VMDKReadingTests.disk(&craft, .seSparse, "seSparse")
        let image = try #require(files["image"])
        files["extent"]?.put(entry, at: craft.map.tables[0] + 8)
        let error = #expect(throws: DrayError.self) { try VMDKCraft.readAll(image, files) }
        #expect(error?.message.contains(String(entry, radix: 16)) == true)
    }
}
