// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage
internal import Storage
internal import TestSupport
internal import Testing

/// A change to an image, and the error that reading it must end with.
struct QCOW2Damage: Sendable, CustomTestStringConvertible {
    let name: String
    let kind: DrayError.Kind
    /// What the message must name.
    let text: String
    /// The place that the error must name.
    let offset: UInt64?
    let version: UInt32
    let snapshot: String?
    let change: @Sendable (inout QCOW2SmallImage) -> Void

    init(
        _ name: String,
        _ kind: DrayError.Kind,
        _ text: String,
        at offset: Int?,
        version: UInt32 = 3,
        snapshot: String? = nil,
        _ change: @escaping @Sendable (inout QCOW2SmallImage) -> Void
    ) {
        self.name = name
        self.kind = kind
        self.text = text
        self.offset = offset.flatMap { UInt64(exactly: $0) }
        self.version = version
        self.snapshot = snapshot
        self.change = change
    }

    /// Stands for a place that is not compared: beyond the end of the file.
    static let anywhere = -1

    /// A field of the header or a table that is set to bytes; the error's place is the field's unless told otherwise.
    init(
        _ name: String,
        _ kind: DrayError.Kind,
        _ text: String,
        set place: Int,
        to bytes: [UInt8],
        at offset: Int? = nil
    ) {
        self.init(name, kind, text, at: offset ?? place) { image in
            image.bytes.replaceSubrange(place..<place + bytes.count, with: bytes)
        }
    }

    var testDescription: String { name }
}

/// Malformed images end in an error that names field and place: no trap, no hang, no memory blow-up.
@Suite struct QCOW2MalformedTests {
    typealias Image = QCOW2SmallImage

    static let headers: [QCOW2Damage] = [
        QCOW2Damage("magic", .corrupt, "magic", set: 0, to: [0x52]),
        QCOW2Damage("version 4", .unsupported, "version 4", set: 7, to: [4], at: 4),
        QCOW2Damage("version 1", .unsupported, "version 1", set: 7, to: [1], at: 4),
        QCOW2Damage("cluster_bits 8", .corrupt, "cluster_bits is 8", set: 23, to: [8], at: 20),
        QCOW2Damage("cluster_bits 22", .corrupt, "cluster_bits is 22", set: 23, to: [22], at: 20),
        QCOW2Damage("cluster_bits 2^31", .corrupt, "cluster_bits", set: 20, to: [0x80], at: 20),
        QCOW2Damage(
            "size 2^64-1",
            .corrupt,
            "size is",
            set: 24,
            to: .init(repeating: 255, count: 8)
        ),
        QCOW2Damage("size above L1", .corrupt, "L1 table has 1 entries", set: 28, to: [1], at: 36),
        QCOW2Damage(
            "crypt method 3",
            .unsupported,
            "encryption method 3",
            set: 35,
            to: [3],
            at: 32
        ),
        QCOW2Damage("AES", .unsupported, "encrypted (AES)", set: 35, to: [1], at: 32),
        QCOW2Damage("LUKS", .unsupported, "encrypted (LUKS)", set: 35, to: [2], at: 32),
        QCOW2Damage("l1_size 2^32-1", .corrupt, "32 MiB", set: 36, to: [255, 255, 255, 255]),
        QCOW2Damage(
            "l1_size 32 MiB",
            .corrupt,
            "L1 table",
            set: 36,
            to: [0, 0x40, 0, 0],
            at: Image.l1
        ),
        QCOW2Damage("L1 unaligned", .corrupt, "L1 table is at 12800", set: 46, to: [0x32], at: 40),
        QCOW2Damage("L1 beyond", .corrupt, "L1 table", set: 44, to: [0x10], at: 0x1000_3000),
        QCOW2Damage(
            "L1 at 2^63",
            .corrupt,
            "L1 table",
            set: 40,
            to: [0x80],
            at: QCOW2Damage.anywhere
        ),
        QCOW2Damage(
            "no refcount table",
            .corrupt,
            "refcount_table_clusters",
            set: 59,
            to: [0],
            at: 56
        ),
        QCOW2Damage("refcount table 2^32", .corrupt, "refcount_table_clusters", set: 56, to: [255]),
        QCOW2Damage(
            "refcount table unaligned",
            .corrupt,
            "refcount_table_offset",
            set: 55,
            to: [8],
            at: 48
        ),
        QCOW2Damage(
            "refcount table beyond",
            .corrupt,
            "refcount table",
            set: 51,
            to: [1],
            at: QCOW2Damage.anywhere
        ),
        QCOW2Damage("incompatible bit 5", .unsupported, "feature bit 5", set: 79, to: [32], at: 72),
        QCOW2Damage("incompatible bit 63", .unsupported, "feature bit 63", set: 72, to: [128]),
        QCOW2Damage("data file unnamed", .corrupt, "names it", set: 79, to: [4], at: 112),
        QCOW2Damage("extended L2, 4 KiB", .corrupt, "extended L2", set: 79, to: [16], at: 20),
        QCOW2Damage(
            "compression bit alone",
            .corrupt,
            "compression_type is 0",
            set: 79,
            to: [8],
            at: 104
        ),
        QCOW2Damage("compression type alone", .corrupt, "compression_type is 1", set: 104, to: [1]),
        QCOW2Damage("refcount_order 7", .corrupt, "refcount_order is 7", set: 99, to: [7], at: 96),
        QCOW2Damage(
            "header_length 96",
            .corrupt,
            "header_length is 96",
            set: 103,
            to: [96],
            at: 100
        ),
        QCOW2Damage("header_length 2^32", .corrupt, "header_length", set: 100, to: [255]),
        QCOW2Damage("backing beyond", .corrupt, "backing_file_offset", set: 14, to: [0x20], at: 8),
        QCOW2Damage("backing in header", .corrupt, "backing_file_offset", set: 15, to: [8], at: 8),
        QCOW2Damage(
            "extension too long",
            .corrupt,
            "extension",
            set: 112,
            to: [1, 2, 3, 4, 255],
            at: 116
        ),
        QCOW2Damage("compression 2", .unsupported, "compression type 2", at: 104) { image in
            image.bytes[79] = 8
            image.bytes[104] = 2
        },
        QCOW2Damage("backing name 1024", .corrupt, "backing_file_size", at: 16) { image in
            image.bytes[14] = 4
            image.bytes[18] = 4
        },
        QCOW2Damage("named feature", .unsupported, "time travel", at: 72) { image in
            image.bytes[79] = 64
            let name = QCOW2FeatureName(type: 0, bit: 6, name: "time travel")
            let table = QCOW2FeatureName.encode([name])
            image.bytes.replaceSubrange(112..<120, with: [0x68, 0x03, 0xF8, 0x57, 0, 0, 0, 48])
            image.bytes.replaceSubrange(120..<168, with: table)
        },
        QCOW2Damage("many extensions", .unsupported, "header extensions", at: QCOW2Damage.anywhere)
        { image in
            image.bytes[23] = 21
            image.bytes += [UInt8](repeating: 1, count: 1 << 21)
            for place in stride(from: 112, to: 1 << 21, by: 8) {
                image.bytes.setWord(place, 0x0102_0304_0000_0000)
            }
        },
        QCOW2Damage("cut to nothing", .corrupt, "too short", at: 0) { $0.bytes = [] },
        QCOW2Damage("cut to 71", .corrupt, "too short", at: 0) {
            $0.bytes.removeLast($0.bytes.count - 71)
        },
        QCOW2Damage("cut to 103", .corrupt, "too short", at: 0) {
            $0.bytes.removeLast($0.bytes.count - 103)
        },
        QCOW2Damage("cut before L1", .corrupt, "L1 table", at: Image.l1) { image in
            image.bytes.removeLast(image.bytes.count - Image.l1)
            image.bytes.replaceSubrange(60..<72, with: [UInt8](repeating: 0, count: 12))
        },
    ]

    static let tables: [QCOW2Damage] = [
        QCOW2Damage(
            "L1 reserved",
            .corrupt,
            "L1 entry 0",
            set: Image.l1 + 7,
            to: [1],
            at: Image.l2
        ),
        QCOW2Damage(
            "L2 unaligned",
            .corrupt,
            "L1 entry 0",
            set: Image.l1 + 6,
            to: [0x42],
            at: Image.l2 + 512
        ),
        QCOW2Damage(
            "L2 beyond",
            .corrupt,
            "L2 table",
            set: Image.l1 + 3,
            to: [1],
            at: QCOW2Damage.anywhere
        ),
        QCOW2Damage(
            "L2 far beyond",
            .corrupt,
            "L2 table",
            set: Image.l1 + 1,
            to: [255],
            at: QCOW2Damage.anywhere
        ),
        QCOW2Damage(
            "entry reserved low",
            .corrupt,
            "reserved",
            set: Image.l2 + 7,
            to: [2],
            at: Image.l2
        ),
        QCOW2Damage("entry reserved high", .corrupt, "reserved", set: Image.l2, to: [0x81]),
        QCOW2Damage(
            "data unaligned",
            .corrupt,
            "cluster size",
            set: Image.l2 + 6,
            to: [0x52],
            at: Image.l2
        ),
        QCOW2Damage(
            "data beyond",
            .corrupt,
            "guest offset 0",
            set: Image.l2 + 5,
            to: [1],
            at: Image.l2
        ),
        QCOW2Damage(
            "data at 2^55",
            .corrupt,
            "beyond the end",
            set: Image.l2 + 1,
            to: [128],
            at: Image.l2
        ),
        QCOW2Damage(
            "later data beyond",
            .corrupt,
            "guest offset 20480",
            set: Image.l2 + 45,
            to: [9],
            at: Image.l2 + 40
        ),
        QCOW2Damage(
            "zero unaligned",
            .corrupt,
            "cluster size",
            set: Image.l2 + 22,
            to: [0x52],
            at: Image.l2 + 16
        ),
        QCOW2Damage(
            "compressed beyond",
            .corrupt,
            "compressed data",
            set: Image.l2 + 12,
            to: [1],
            at: Image.l2 + 8
        ),
        QCOW2Damage(
            "stream damaged",
            .corrupt,
            "deflate",
            set: Image.compressed - 512,
            to: [7],
            at: Image.compressed - 512
        ),
        QCOW2Damage(
            "stream too short",
            .corrupt,
            "only 2048 bytes",
            set: Image.compressed - 512,
            to: [1],
            at: Image.compressed - 512
        ),
        QCOW2Damage("stream too long", .corrupt, "more bytes", at: Image.compressed - 512) {
            image in
            image.bytes[Image.compressed + 1541] = 0
            let more: [UInt8] = [1, 1, 0, 0xFE, 0xFF, 0x5A]
            image.bytes.replaceSubrange(28_170..<28_176, with: more)
        },
        QCOW2Damage("stream cut by its length", .corrupt, "cut off", at: Image.compressed - 512) {
            $0.putCompressedEntry(at: Image.compressed - 512, sectors: 8)
        },
        QCOW2Damage("stream cut by the file", .corrupt, "cut off", at: Image.compressed - 512) {
            image in
            image.bytes[63] = 0
            image.bytes.removeLast(image.bytes.count - Image.snapshotTable)
            image.putCompressedEntry(at: Image.compressed - 512, sectors: 16)
            image.bytes.removeLast(512)
        },
        QCOW2Damage("zero flag in version 2", .corrupt, "reserved", at: Image.l2 + 16, version: 2) {
            _ in
        },
        QCOW2Damage("data cut", .corrupt, "beyond the end", at: Image.l2 + 40) { image in
            image.bytes.setWord(Image.l2 + 40, UInt64(image.bytes.count - 4096))
            image.bytes.setWord(Image.l2 + 40, UInt64(image.bytes.count))
        },
    ]

    static let snapshots: [QCOW2Damage] = [
        QCOW2Damage("too many", .unsupported, "nb_snapshots", set: 60, to: [1]),
        QCOW2Damage("table unaligned", .corrupt, "snapshots_offset", set: 71, to: [8], at: 64),
        QCOW2Damage(
            "table beyond",
            .corrupt,
            "snapshot table",
            set: 67,
            to: [1],
            at: QCOW2Damage.anywhere
        ),
        QCOW2Damage(
            "more than there are",
            .corrupt,
            "snapshot table",
            set: 62,
            to: [1],
            at: QCOW2Damage.anywhere
        ),
        QCOW2Damage(
            "extra data",
            .unsupported,
            "extra data",
            set: Image.snapshotTable + 36,
            to: [1]
        ),
        QCOW2Damage(
            "name too long",
            .corrupt,
            "snapshot table",
            set: Image.snapshotTable + 14,
            to: [255],
            at: QCOW2Damage.anywhere
        ),
        QCOW2Damage("not there", .invalid, "no snapshot two", at: nil, snapshot: "two") { _ in },
        QCOW2Damage("L1 beyond", .corrupt, "snapshot 1's L1 table", at: nil, snapshot: "1") {
            $0.bytes[Image.snapshotTable + 3] = 1
        },
        QCOW2Damage("L1 unaligned", .corrupt, "snapshot 1's L1 table", at: nil, snapshot: "1") {
            $0.bytes[Image.snapshotTable + 7] = 8
        },
        QCOW2Damage("L1 too large", .corrupt, "32 MiB", at: nil, snapshot: "first") {
            $0.bytes[Image.snapshotTable + 8] = 1
        },
        QCOW2Damage("disk above its L1", .corrupt, "L1 table has 1 entries", at: nil, snapshot: "1")
        {
            $0.bytes[Image.snapshotTable + 52] = 1
        },
        QCOW2Damage("disk of 2^64", .corrupt, "snapshot 1 has a disk", at: nil, snapshot: "1") {
            $0.bytes[Image.snapshotTable + 48] = 255
        },
    ]

    @Test(.timeLimit(.minutes(15)), arguments: headers + tables + snapshots)
    func `a damaged image ends in an error that names what and where`(damage: QCOW2Damage) throws {
        var image = try QCOW2SmallImage(version: damage.version)
        if damage.version == 3 { try image.readAll() }
        damage.change(&image)
        let error = #expect(throws: DrayError.self) {
            try image.readAll(snapshot: damage.snapshot)
        }
        #expect(error?.kind == damage.kind, "\(error?.description ?? "")")
        #expect(error?.message.contains(damage.text) == true, "\(error?.description ?? "")")
        if let offset = damage.offset { #expect(error?.offset == offset) }
        #expect(error?.message.utf8.count ?? 0 < 1000)
    }

    @Test(arguments: SeededGenerator.seeds(40))
    func `random damage never traps or hangs`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let original = try QCOW2SmallImage()
        for _ in 0..<50 {
            var image = original
            for _ in 0..<Int.random(in: 1...6, using: &random) { scratch(&image, &random) }
            for snapshot in [nil, "1"] {
                guard let driver = try? image.open(snapshot: snapshot) else { continue }
                // Larger disks are mapped only in part: content this large is not what is tested.
                _ = try? driver.check()
                _ = try? driver.information()
                guard driver.guestSize < 1 << 24 else { continue }
                _ = try? QCOW2Workshop.content(of: driver)
            }
        }
    }

    private func scratch(_ image: inout QCOW2SmallImage, _ random: inout SeededGenerator) {
        let clusters = [0, 0, 0, 1, 2, 3, 4, 4, 7]
        let cluster = clusters[Int(random.next() % UInt64(clusters.count))]
        let reach: UInt64 = cluster == 0 ? 128 : 64
        let place = cluster * Image.clusterSize + Int(random.next() % reach)
        guard place < image.bytes.count else { return }
        switch random.next() % 8 {
        case 0..<5: image.bytes[place] ^= 1 << UInt8(random.next() % 8)
        case 5, 6: image.bytes[place] = [0, 255, 128, 1][Int(random.next() % 4)]
        default: image.bytes.removeLast(Int(random.next() % 5000) % image.bytes.count)
        }
    }
}
