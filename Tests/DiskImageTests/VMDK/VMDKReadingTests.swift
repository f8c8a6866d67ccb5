// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage
internal import Storage
internal import TestSupport
internal import Testing

/// Disks made by hand read right, and as qemu-img reads them where it does.
@Suite struct VMDKReadingTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let make: @Sendable (inout VMDKCraft) -> Void
    }

    static let hosted: [Case] = [
        Case(testDescription: "tables in front") { _ in },
        Case(testDescription: "tables behind") { $0.place = .back },
        Case(testDescription: "version 2") { $0.version = 2 },
        Case(testDescription: "version 3") { $0.version = 3 },
        Case(testDescription: "grains of 64 KiB, tables of 512") {
            $0.grainSectors = 128
            $0.tableEntries = 512
        },
        Case(testDescription: "tables of 3 entries") { $0.tableEntries = 3 },
        Case(testDescription: "no tables for holes") {
            $0.tableEntries = 1
            $0.isThin = true
        },
        Case(testDescription: "no tables for holes, redundant") {
            $0.tableEntries = 2
            $0.isThin = true
            $0.isRedundant = true
        },
        Case(testDescription: "stream without tables for holes") {
            stream(&$0, .footer, markers: true)
            $0.tableEntries = 2
            $0.isThin = true
        },
        Case(testDescription: "a short last grain") { $0.missingSectors = 5 },
        Case(testDescription: "redundant") { $0.isRedundant = true },
        Case(testDescription: "stream with a footer") { stream(&$0, .footer, markers: true) },
        Case(testDescription: "stream, tables behind") { stream(&$0, .back, markers: true) },
        Case(testDescription: "stream, tables in front") { stream(&$0, .front, markers: true) },
        Case(testDescription: "stream without markers") {
            stream(&$0, .front, markers: false)
        },
        Case(testDescription: "stream without markers, tables behind") {
            stream(&$0, .back, markers: false)
        },
        Case(testDescription: "stream of 64 KiB grains with a short end") {
            stream(&$0, .footer, markers: true)
            $0.grainSectors = 128
            $0.missingSectors = 77
        },
        Case(testDescription: "stream of version 1") {
            stream(&$0, .front, markers: true)
            $0.version = 1
        },
    ]

    private static func stream(_ craft: inout VMDKCraft, _ place: VMDKCraft.Place, markers: Bool) {
        craft.isCompressed = true
        craft.hasMarkers = markers
        craft.place = place
        craft.version = 3
    }

    @Test(arguments: hosted)
    func `a sparse disk reads right, and as qemu-img reads it`(example: Case) throws {
        var random = SeededGenerator(for: example.testDescription)
        for zeros in [false, true] {
            var craft = VMDKCraft(Self.grains(60, zeros: zeros, &random))
            example.make(&craft)
            craft.embed()
            let bytes = try craft.make()
            let driver = try VMDKCraft.open(bytes)
            #expect(driver.guestSize == UInt64(craft.sectors * 512))
            for step: UInt64 in [.max, 512, 5000] {
                #expect(
                    try QCOW2Workshop.content(of: driver, step: step) == craft.content(),
                    "\(step)"
                )
            }
            let report = try #require(try driver.check())
            #expect(report.corruptions == 0, "\(report.findings)")
            // qemu-img 7.2 does not read streams that have no markers.
            if craft.isCompressed, !craft.hasMarkers { continue }
            try Self.compare(["image": bytes], craft.content())
        }
    }

    @Test(arguments: [VMDKCraft.Form.cowd, .spaceEfficient])
    func `an extent of ESX reads right, and as qemu-img reads it`(form: VMDKCraft.Form) throws {
        var random = SeededGenerator(for: "extents of ESX")
        let isCOWD = form == .cowd
        var craft = VMDKCraft(Self.grains(9000, zeros: !isCOWD, &random))
        craft.form = form
        if isCOWD { craft.grainSectors = 1 }
        let files = try Self.disk(
            &craft,
            isCOWD ? .vmfsSparse : .seSparse,
            isCOWD ? "vmfsSparse" : "seSparse"
        )
        let driver = try VMDKCraft.open(try #require(files["image"]), files)
        #expect(try QCOW2Workshop.content(of: driver) == craft.content())
        #expect(try #require(try driver.check()).corruptions == 0)
        try Self.compare(files, craft.content())
    }

    @Test func `holes over many tables that are not there end where data begins`() throws {
        var craft = VMDKCraft(
            [.data] + [VMDKCraft.Grain](repeating: .hole, count: 5 * 4096) + [.data, .data]
        )
        craft.form = .cowd
        craft.grainSectors = 1
        craft.isThin = true
        let files = try Self.disk(&craft, .vmfsSparse, "vmfsSparse")
        let driver = try VMDKCraft.open(try #require(files["image"]), files)
        #expect(try QCOW2Workshop.content(of: driver) == craft.content())
        try Self.compare(files, craft.content())
    }

    @Test func `extents of all kinds make one disk`() throws {
        var random = SeededGenerator(for: "all kinds")
        var content: [UInt8] = []
        var files: [String: [UInt8]] = [:]
        var lines: [VMDKExtentLine] = []
        for (number, kind) in (VMDKExtentLine.Kind.allCases + VMDKExtentLine.Kind.allCases)
            .enumerated()
        {
            let name = "part-\(number)"
            var craft = VMDKCraft(Self.grains(20, zeros: kind != .vmfsSparse, &random))
            craft.salt = UInt8(number + 1)
            var offset = 0
            switch kind {
            case .flat, .vmfs:
                offset = kind == .flat ? number + 1 : 0
                let shift = [UInt8](repeating: 0xEE, count: offset * 512)
                files[name] = shift + craft.content() + [9, 9]
            case .zero: craft.grains = [.zero]
            case .sparse: files[name] = try craft.make()
            case .vmfsSparse, .seSparse:
                craft.form = kind == .vmfsSparse ? .cowd : .spaceEfficient
                files[name] = try craft.make()
            }
            lines.append(
                VMDKExtentLine(
                    number % 2 == 0 ? .readWrite : .readOnly,
                    sectors: UInt64(craft.sectors),
                    kind,
                    name: kind == .zero ? "" : name,
                    offset: UInt64(offset)
                )
            )
            content += craft.content()
        }
        let text = try VMDKDescriptor(cid: 5, createType: "custom", extents: lines).text()
        let driver = try VMDKCraft.open(Array(text.utf8), files)
        for step: UInt64 in [.max, 700] {
            #expect(try QCOW2Workshop.content(of: driver, step: step) == content)
        }
        #expect(driver.storages.count == 11)
    }

    @Test(arguments: [VMDKExtentLine.Kind.flat, .vmfs, .sparse])
    func `a line that stands twice is two extents, as qemu-img reads it`(
        kind: VMDKExtentLine.Kind
    ) throws {
        var craft = VMDKCraft([.data, .hole, .data, .data])
        let name = "part"
        let files = [name: kind == .sparse ? try craft.make() : craft.content()]
        let line = VMDKExtentLine(.readWrite, sectors: UInt64(craft.sectors), kind, name: name)
        let text = try VMDKDescriptor(cid: 1, createType: "vmfs", extents: [line, line]).text()
        let driver = try VMDKCraft.open(Array(text.utf8), files)
        let twice = craft.content() + craft.content()
        #expect(try QCOW2Workshop.content(of: driver) == twice)
        // Each extent is checked for itself: the grains of one file twice are no corruption.
        #expect(try #require(try driver.check()).corruptions == 0)
        let padded = Array(text.utf8) + [UInt8](repeating: 0, count: 512)
        try Self.compare(files.merging(["image": padded]) { $1 }, twice)
    }

    @Test func `neighbouring grains are one run, over tables too`() throws {
        var craft = VMDKCraft([VMDKCraft.Grain](repeating: .data, count: 200))
        craft.embed()
        let bytes = try craft.make()
        let counting = CountingStorage(MemoryStorage(bytes: bytes))
        let driver = try VMDKDriver(storage: counting) { _ throws(DrayError) in counting }
        let before = counting.reads
        let run = try driver.map(GuestOffset(700), limit: .max)
        #expect(run.length == driver.guestSize - 700)
        // The directory's page, and all tables at once.
        #expect(counting.reads - before == 2)
        _ = try driver.map(GuestOffset(0), limit: .max)
        #expect(counting.reads - before == 2)
    }

    @Test func `an empty part of a huge disk costs its directory alone`() throws {
        var craft = VMDKCraft([.data])
        craft.grainSectors = 128
        craft.tableEntries = 512
        craft.embed()
        var bytes = try craft.make()
        let sectors = UInt64(1) << 36
        var header = try VMDKSparseHeader(bytes, file: "x")
        header.capacity = sectors
        header.directory = UInt64(bytes.count / 512)
        bytes.replaceSubrange(0..<512, with: header.serialized())
        let text = String(decoding: bytes[512..<21 * 512], as: UTF8.self)
        let changed = text.replacing("RW 128 ", with: "RW \(sectors) ").prefix(20 * 512)
        bytes.replaceSubrange(512..<21 * 512, with: Array(changed.utf8).prefix(20 * 512))
        var directory = [UInt8](repeating: 0, count: Int(header.directoryEntries) * 4)
        directory.put(UInt32(craft.map.tables[0] / 512), at: 0)
        let counting = CountingStorage(MemoryStorage(bytes: bytes + directory))
        let driver = try VMDKDriver(storage: counting) { _ throws(DrayError) in counting }
        let before = counting.reads
        let run = try driver.map(GuestOffset(65_536), limit: .max)
        #expect(run.length == sectors * 512 - 65_536)
        // Once for the places of tables, once for what is not there; and a table.
        #expect(counting.reads - before <= 2 * 1_048_576 / 4096 + 3)
    }

    /// States of `count` grains in runs.
    static func grains(_ count: Int, zeros: Bool, _ random: inout SeededGenerator) -> [VMDKCraft
        .Grain]
    {
        var grains: [VMDKCraft.Grain] = []
        while grains.count < count {
            let grain = VMDKCraft.Grain.allCases[Int.random(in: 0..<3, using: &random)]
            let state = grain == .zero && !zeros ? .hole : grain
            let length = Int.random(in: 1...12, using: &random)
            grains += [VMDKCraft.Grain](repeating: state, count: length)
        }
        return Array(grains.prefix(count))
    }

    /// The files of a disk whose one extent is `craft`'s.
    static func disk(
        _ craft: inout VMDKCraft,
        _ kind: VMDKExtentLine.Kind,
        _ type: String
    ) throws -> [String: [UInt8]] {
        let bytes = try craft.make()
        let line = VMDKExtentLine(.readWrite, sectors: UInt64(craft.sectors), kind, name: "extent")
        let text = try VMDKDescriptor(cid: 1, createType: type, extents: [line]).text()
        return ["image": Array(text.utf8), "extent": bytes]
    }

    /// Compares what qemu-img reads of the image `image` among `files` with `content`.
    static func compare(_ files: [String: [UInt8]], _ content: [UInt8]) throws {
        let workshop = try QCOW2Workshop()
        for (name, bytes) in files { try workshop.write(name, bytes) }
        try workshop.shell("qemu-img convert -f vmdk -O raw image raw")
        #expect(try workshop.bytes("raw") == content, "as qemu-img reads it")
        try workshop.shell("qemu-img check image")
    }
}
