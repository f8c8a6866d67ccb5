// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage
internal import Storage

/// Makes extents by hand: of kinds that qemu-img cannot create, and with tables where it does not put them.
struct VMDKCraft {
    /// What a grain is.
    enum Grain: CaseIterable { case data, zero, hole }

    /// The form of an extent.
    enum Form {
        /// Hosted sparse, as the other properties say.
        case hosted
        case cowd
        case spaceEfficient
    }

    /// Where a hosted extent's tables are.
    enum Place: CaseIterable { case front, back, footer }

    var form = Form.hosted
    var grainSectors = 8
    var grains: [Grain]
    /// How many sectors of the last grain the disk does not reach.
    var missingSectors = 0
    var place = Place.front
    var version: UInt32 = 1
    var tableEntries = 16
    var isCompressed = false
    var hasMarkers = false
    var isRedundant = false
    /// Whether the directory has no tables where there are only holes.
    var isThin = false
    /// The descriptor to embed; nil leaves it out.
    var descriptor: VMDKDescriptor?
    /// The first byte of data: tells extents apart.
    var salt: UInt8 = 1

    /// Where things are in the extent that was made last, in bytes.
    private(set) var map = Map()

    struct Map {
        var directory = 0
        var redundant = 0
        var tables: [Int] = []
        var grains: [Int] = []
    }

    init(_ grains: [Grain]) { self.grains = grains }

    var sectors: Int { grains.count * grainSectors - missingSectors }
    private var grainSize: Int { grainSectors * 512 }
    private var entrySize: Int { form == .spaceEfficient ? 8 : 4 }
    private var perTable: Int { form == .hosted ? tableEntries : 4096 }
    private var tableCount: Int { (grains.count + perTable - 1) / perTable }
    private var tableSize: Int { (perTable * entrySize + 511) / 512 * 512 }
    private var directorySize: Int { (tableCount * entrySize + 511) / 512 * 512 }

    /// The guest's bytes, with those of the parent where the disk has none.
    func content(below: [UInt8] = []) -> [UInt8] {
        var out: [UInt8] = []
        for (index, grain) in grains.enumerated() {
            switch grain {
            case .data: out += bytes(of: index)
            case .zero: out += [UInt8](repeating: 0, count: grainSize)
            case .hole:
                let start = min(index * grainSize, below.count)
                let end = min(start + grainSize, below.count)
                out += below[start..<end]
                out += [UInt8](repeating: 0, count: grainSize - (end - start))
            }
        }
        return Array(out.prefix(sectors * 512))
    }

    private func bytes(of index: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: salt, count: grainSize)
        for place in stride(from: 1, to: grainSize, by: 7) {
            bytes[place] = UInt8(truncatingIfNeeded: index &* 31 &+ place)
        }
        return bytes
    }

    /// The extent's bytes.
    mutating func make() throws -> [UInt8] {
        map = Map()
        var out = [UInt8](repeating: 0, count: headLength)
        if form != .hosted || place == .front {
            if isRedundant { map.redundant = reserveTables(&out, keeps: false) }
            map.directory = reserveTables(&out, keeps: true)
        }
        if form == .spaceEfficient { Self.pad(&out, to: 4096) }
        let firstGrain = out.count
        for (index, grain) in grains.enumerated() {
            map.grains.append(grain == .data ? out.count : 0)
            if grain == .data { try append(index, to: &out) }
        }
        if form == .hosted, place != .front {
            map.directory = reserveTables(&out, keeps: true)
        }
        fillTables(&out, firstGrain: firstGrain)
        try putHead(&out, firstGrain: firstGrain)
        return out
    }

    private var headLength: Int {
        switch form {
        case .hosted: descriptor == nil ? 512 : 21 * 512
        case .cowd: 2048
        case .spaceEfficient: 4096
        }
    }

    /// Adds a directory and its tables; returns where the directory is.
    private mutating func reserveTables(_ out: inout [UInt8], keeps: Bool) -> Int {
        if hasMarkers {
            out += Self.marker(type: VMDK.markerDirectory, sectors: directorySize / 512)
        }
        let start = out.count
        out += [UInt8](repeating: 0, count: directorySize)
        for index in 0..<tableCount {
            if hasMarkers { out += Self.marker(type: VMDK.markerTable, sectors: tableSize / 512) }
            if keeps { map.tables.append(out.count) }
            let entry = start + index * entrySize
            if form == .spaceEfficient {
                out.put(UInt64(0x1000_0000) << 32 | UInt64(index), at: entry)
            } else {
                out.put(UInt32(out.count / 512), at: entry)
            }
            out += [UInt8](repeating: 0, count: tableSize)
        }
        return start
    }

    private mutating func append(_ index: Int, to out: inout [UInt8]) throws {
        guard isCompressed else {
            out += bytes(of: index)
            return
        }
        let isLast = index + 1 == grains.count
        let whole = bytes(of: index)
        // The disk's last grain may end with the disk.
        let stream = Self.zlib(isLast ? Array(whole.dropLast(missingSectors * 512)) : whole)
        if hasMarkers {
            var head = [UInt8](repeating: 0, count: 12)
            head.put(UInt64(index * grainSectors), at: 0)
            head.put(UInt32(stream.count), at: 8)
            out += head
        }
        out += stream
        Self.pad(&out, to: 512)
    }

    private func fillTables(_ out: inout [UInt8], firstGrain: Int) {
        let distance = isRedundant ? map.directory - map.redundant : 0
        for (index, grain) in grains.enumerated() {
            let place = map.tables[index / perTable] + index % perTable * entrySize
            if form == .spaceEfficient {
                let number = UInt64(max(0, map.grains[index] - firstGrain) / grainSize)
                let data = 3 << 60 | (number & 0xFFF) << 48 | number >> 12
                out.put([data, 2 << 60, 0][grain == .data ? 0 : grain == .zero ? 1 : 2], at: place)
            } else {
                let entry = grain == .zero ? 1 : UInt32(map.grains[index] / 512)
                out.put(entry, at: place)
                if isRedundant { out.put(entry, at: place - distance) }
            }
        }
        for table in 0..<tableCount where isThin {
            let own = grains[table * perTable..<min(grains.count, (table + 1) * perTable)]
            guard own.allSatisfy({ $0 == .hole }) else { continue }
            for directory in [map.directory, map.redundant] where directory > 0 {
                for byte in 0..<entrySize { out[directory + table * entrySize + byte] = 0 }
            }
        }
    }

    private func putHead(_ out: inout [UInt8], firstGrain: Int) throws {
        switch form {
        case .hosted: try putHostedHead(&out, firstGrain: firstGrain)
        case .cowd:
            out.replaceSubrange(0..<4, with: Array("COWD".utf8))
            for (place, value) in [
                (4, 1), (8, 3), (12, sectors), (16, grainSectors), (20, map.directory / 512),
                (24, tableCount),
            ] { out.put(UInt32(value), at: place) }
        case .spaceEfficient:
            let tables = map.tables.first ?? 0
            for (place, value) in [
                (0, 0xCAFE_BABE), (8, 0x2_0000_0001), (16, sectors), (24, 8), (32, 64), (80, 1),
                (88, 1), (96, 2), (104, 2), (128, map.directory / 512), (136, directorySize / 512),
                (144, tables / 512), (152, tableCount * tableSize / 512), (192, firstGrain / 512),
                (512, 0xCAFE_CAFE),
            ] { out.put(UInt64(value), at: place) }
        }
    }

    private func putHostedHead(_ out: inout [UInt8], firstGrain: Int) throws {
        var header = VMDKSparseHeader(capacity: UInt64(sectors))
        header.version = version
        header.grainSize = UInt64(grainSectors)
        header.tableEntries = UInt32(tableEntries)
        header.directory = UInt64(map.directory / 512)
        header.redundantDirectory = UInt64(map.redundant / 512)
        header.overhead = UInt64(firstGrain / 512)
        if grains.contains(.zero) { header.flags.insert(.zeroedGrains) }
        if isRedundant { header.flags.insert(.redundantDirectory) }
        if hasMarkers { header.flags.insert(.markers) }
        if isCompressed {
            header.flags.insert(.compressed)
            header.compression = VMDK.compressionDeflate
        }
        if let descriptor {
            header.descriptorOffset = 1
            header.descriptorSize = 20
            let text = Array(try descriptor.text().utf8)
            out.replaceSubrange(512..<512 + text.count, with: text)
        }
        if place == .footer {
            out += Self.marker(type: VMDK.markerFooter, sectors: 1)
            out += header.serialized()
            out += [UInt8](repeating: 0, count: 512)
            header.directory = VMDK.directoryAtEnd
        }
        out.replaceSubrange(0..<512, with: header.serialized())
    }

    static func pad(_ out: inout [UInt8], to unit: Int) {
        out += [UInt8](repeating: 0, count: (unit - out.count % unit) % unit)
    }

    private static func marker(type: UInt32, sectors: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 512)
        bytes.put(UInt64(sectors), at: 0)
        bytes.put(type, at: 12)
        return bytes
    }

    /// A zlib stream (RFC 1950) of stored blocks.
    static func zlib(_ bytes: [UInt8]) -> [UInt8] {
        var out: [UInt8] = [0x78, 0x01]
        var start = 0
        repeat {
            let end = min(start + 65_535, bytes.count)
            let size = UInt16(end - start)
            out.append(end == bytes.count ? 1 : 0)
            for value in [size, ~size] { out += [UInt8(value & 0xFF), UInt8(value >> 8)] }
            out += bytes[start..<end]
            start = end
        } while start < bytes.count
        var (low, high) = (UInt32(1), UInt32(0))
        for byte in bytes {
            low = (low + UInt32(byte)) % 65_521
            high = (high + low) % 65_521
        }
        for shift in [24, 16, 8, 0] {
            out.append(UInt8((high << 16 | low) >> UInt32(shift) & 0xFF))
        }
        return out
    }
}

extension [UInt8] {
    /// Overwrites the bytes at `place` with `value`, least significant byte first.
    mutating func put<I: FixedWidthInteger>(_ value: I, at place: Int) {
        for index in 0..<I.bitWidth / 8 {
            self[place + index] = UInt8(truncatingIfNeeded: value >> I(index * 8))
        }
    }
}

extension VMDKCraft {
    /// The extent as a disk with its descriptor in it.
    static func embedded(_ grains: [Grain]) -> VMDKCraft {
        var craft = VMDKCraft(grains)
        craft.embed()
        return craft
    }

    /// Puts a descriptor that fits into the extent.
    mutating func embed(parentCID: UInt32 = VMDK.noParent, hint: String? = nil, cid: UInt32 = 1) {
        let line = VMDKExtentLine(
            .readWrite,
            sectors: UInt64(sectors),
            .sparse,
            name: "image"
        )
        let type = isCompressed ? "streamOptimized" : "monolithicSparse"
        var text = VMDKDescriptor(cid: cid, createType: type, extents: [line])
        text.parentCID = parentCID
        text.parentFileNameHint = hint
        descriptor = text
    }

    /// The disk in `bytes`; other files are taken from `files` by name.
    static func open(_ bytes: [UInt8], _ files: [String: [UInt8]] = [:]) throws(DrayError)
        -> VMDKDriver
    {
        try VMDKDriver(storage: MemoryStorage(name: "image", bytes: bytes)) {
            name throws(DrayError) in
            guard let bytes = files[name] else { throw DrayError(.refused, "extent \(name)") }
            return MemoryStorage(name: name, bytes: bytes)
        }
    }

    /// Opens the disk, reads everything of it, describes and checks it: whatever fails first is thrown.
    static func readAll(_ bytes: [UInt8], _ files: [String: [UInt8]] = [:]) throws -> [UInt8] {
        let driver = try open(bytes, files)
        let content = try QCOW2Workshop.content(of: driver)
        _ = try driver.information()
        return content
    }
}
