// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage
internal import Storage
internal import TestSupport
internal import Testing

/// What a disk keeps in memory of its extents.
@Suite struct VMDKCacheTests {
    /// An extent of `tables` grain tables of zeroed grains.
    private static func zeroed(tables: Int) -> [UInt8] {
        var header = VMDKSparseHeader(capacity: UInt64(tables) * 512 * 8)
        header.flags = [.newlineDetection, .zeroedGrains]
        header.grainSize = 8
        header.directory = 1
        let first = 1 + (tables * 4 + 511) / 512
        var directory = [UInt8](repeating: 0, count: (first - 1) * 512)
        for index in 0..<tables { directory.put(UInt32(first + index * 4), at: index * 4) }
        let table = [UInt32](repeating: VMDK.entryZeroed, count: 512).flatMap { word in
            (0..<4).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) }
        }
        return header.serialized() + directory + (0..<tables).flatMap { _ in table }
    }

    private static func descriptor(_ lines: [VMDKExtentLine]) throws -> [UInt8] {
        Array(try VMDKDescriptor(cid: 1, createType: "custom", extents: lines).text().utf8)
    }

    @Test func `tables that are kept do not grow with the number of extents`() throws {
        let (tables, count) = (256, 24)
        let extent = Self.zeroed(tables: tables)
        let sectors = UInt64(tables) * 512 * 8
        let counting = CountingStorage(MemoryStorage(name: "part", bytes: extent))
        let line = VMDKExtentLine(.readWrite, sectors: sectors, .sparse, name: "part")
        let text = try Self.descriptor([VMDKExtentLine](repeating: line, count: count))
        let driver = try VMDKDriver(storage: MemoryStorage(name: "disk", bytes: text)) {
            _ throws(DrayError) in counting
        }
        func walk(_ extents: Range<Int>) throws -> Int {
            let before = counting.reads
            for number in extents {
                let run = try driver.map(GuestOffset(UInt64(number) * sectors * 512), limit: .max)
                #expect(run.length == sectors * 512)
            }
            return counting.reads - before
        }
        let first = try walk(0..<1)
        #expect(try walk(0..<1) == 0)
        #expect(try walk(1..<count) >= (count - 1) * (first - 1))
        // 16 MiB are 4096 tables: those of 16 extents.
        #expect(try walk(0..<1) > 0)
    }

    @Test func `extents with compressed grains at the same places keep their own`() throws {
        var random = SeededGenerator(for: "windows")
        var (files, lines, content) = ([String: [UInt8]](), [VMDKExtentLine](), [UInt8]())
        for (number, grain) in [8, 128, 1024, 8, 128, 8].enumerated() {
            let kinds = VMDKReadingTests.grains(5, zeros: true, &random)
            var craft = VMDKCraft([.data] + kinds)
            (craft.grainSectors, craft.salt) = (grain, UInt8(number * 10 + 1))
            (craft.isCompressed, craft.hasMarkers) = (true, number % 2 == 0)
            files["\(number)"] = try craft.make()
            let sectors = UInt64(craft.sectors)
            lines.append(.init(.readWrite, sectors: sectors, .sparse, name: "\(number)"))
            content += craft.content()
        }
        let driver = try VMDKCraft.open(try Self.descriptor(lines), files)
        for step: UInt64 in [.max, 700] {
            #expect(try QCOW2Workshop.content(of: driver, step: step) == content)
        }
    }

    @Test func `a directory larger than qemu allows is refused at once`() throws {
        var header = VMDKSparseHeader(capacity: 1 << 33)
        (header.grainSize, header.tableEntries, header.directory) = (8, 4, 1)
        let line = VMDKExtentLine(.readWrite, sectors: 1 << 33, .sparse, name: "part")
        let text = try Self.descriptor([line])
        let error = #expect(throws: DrayError.self) {
            try VMDKCraft.open(text, ["part": header.serialized()])
        }
        #expect(error?.kind == .unsupported && error?.file == "part")
        #expect(error?.message.contains("268435456 entries") == true)
    }
}
