// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage
internal import Storage
internal import TestSupport
internal import Testing

/// `check` counts what `qemu-img check` counts.
@Suite struct QCOW2CheckTests {
    /// Creation options, and whether snapshots and bitmaps can be made.
    static let images: [(options: String, isPlain: Bool)] = [
        ("cluster_size=64k", true), ("cluster_size=512", true), ("cluster_size=4k", true),
        ("compat=0.10", true), ("refcount_bits=1,cluster_size=4k", false),
        ("refcount_bits=2,cluster_size=512", false), ("refcount_bits=64,cluster_size=4k", true),
        ("refcount_bits=8", true), ("refcount_bits=32", true), ("extended_l2=on", true),
        ("lazy_refcounts=on", true), ("data_file=data.raw", false),
        ("preallocation=metadata", true),
        ("cluster_size=2M", true),
    ]

    /// What qemu-img prints, by key; keys that it leaves out are 0.
    static func qemuCheck(_ workshop: QCOW2Workshop, _ image: String) throws -> [String: UInt64]? {
        let text = try workshop.shell(
            "qemu-img check -f qcow2 --output json \(image) 2>/dev/null",
            exits: [0, 1, 2, 3]
        )
        guard text.contains("{") else { return nil }
        var values: [String: UInt64] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ":")
            guard parts.count == 2, let key = parts[0].split(separator: "\"").dropFirst().first
            else { continue }
            // Values in quotes are no numbers.
            values[String(key)] = UInt64(parts[1].filter { $0 != "," && $0 != " " })
        }
        return values
    }

    /// The report by qemu-img's keys, without those that are 0.
    static func values(_ report: CheckReport) -> [String: UInt64] {
        let all = [
            "corruptions": report.corruptions, "leaks": report.leaks,
            "check-errors": report.checkErrors, "total-clusters": report.totalClusters,
            "allocated-clusters": report.allocatedClusters,
            "fragmented-clusters": report.fragmentedClusters,
            "compressed-clusters": report.compressedClusters,
            "image-end-offset": report.imageEndOffset,
        ]
        return all.filter { $0.value != 0 }
    }

    static func compare(_ workshop: QCOW2Workshop, _ image: String, _ comment: Comment) throws {
        guard let expected = try qemuCheck(workshop, image) else { return }
        let report = try #require(try workshop.open(image).check(), comment)
        #expect(values(report) == expected.filter { $0.value != 0 }, comment)
    }

    /// An image with data in all forms: written, compressed, zeroed, shared with a snapshot, marked in a bitmap.
    static func makeImage(_ options: String, isPlain: Bool) throws -> QCOW2Workshop {
        let workshop = try QCOW2Workshop()
        try workshop.shell(
            """
            qemu-img create -q -f qcow2 -o \(options) image 3M
            qemu-io -c 'write -P 1 0 300k' -c 'write -P 2 1M 100k' -c 'write -z 1500k 200k' image
            """
        )
        guard isPlain else { return workshop }
        try workshop.shell(
            "qemu-img snapshot -c one image; qemu-io -c 'write -P 3 50k 70k' image"
        )
        if !options.contains("0.10") {
            try workshop.shell(
                "qemu-img bitmap --add image bm; qemu-io -c 'write -P 4 2M 9k' image"
            )
        }
        try workshop.shell(
            "qemu-io -c 'write -c -P 5 2560k 64k' image; qemu-img snapshot -c two image",
            exits: [0, 1]
        )
        return workshop
    }

    @Test(arguments: images)
    func `numbers of clean images equal qemu-img's`(options: String, isPlain: Bool) throws {
        let workshop = try Self.makeImage(options, isPlain: isPlain)
        try Self.compare(workshop, "image", "clean")
        let report = try #require(try workshop.open("image").check())
        #expect(report.corruptions == 0 && report.leaks == 0 && report.checkErrors == 0)
        #expect(report.findings.isEmpty)
    }

    @Test(arguments: images)
    func `numbers of damaged images equal qemu-img's`(options: String, isPlain: Bool) throws {
        let workshop = try Self.makeImage(options, isPlain: isPlain)
        let header = try workshop.open("image").header
        let original = try workshop.bytes("image")
        var random = SeededGenerator(for: "qcow2 check \(options)")
        let count = environmentVariable("DRAY_ROUNDS").flatMap { Int($0) } ?? 6
        for round in 0..<count {
            var bytes = original
            var notes = ""
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                notes += damage(&bytes, header, &random) + "; "
            }
            try workshop.write("damaged", bytes)
            try Self.compare(workshop, "damaged", "\(options) round \(round): \(notes)")
        }
    }

    /// Changes one entry of one table; returns what it did.
    private func damage(
        _ bytes: inout [UInt8],
        _ header: QCOW2Header,
        _ random: inout SeededGenerator
    ) -> String {
        let l1 = Int(header.l1TableOffset)
        let table = Int(header.refcountTableOffset)
        let l1Entry = Int(random.next() % UInt64(header.l1Size)) * 8
        let clusterSize = Int(header.clusterSize)
        var place = 0
        switch random.next() % 4 {
        case 0: place = l1 + l1Entry
        case 1:
            let l2 = Int(bytes.word(l1 + l1Entry) & 0x00FF_FFFF_FFFF_FE00)
            place = l2 + Int(random.next() % UInt64(clusterSize / 8 / 4)) * 8
        case 2: place = table
        default:
            let block = Int(bytes.word(table) & 0x00FF_FFFF_FFFF_FE00)
            place = block + Int(random.next() % UInt64(min(clusterSize, 256))) & ~7
        }
        guard place >= 0, place + 8 <= bytes.count, place >= clusterSize else { return "nothing" }
        let old = bytes.word(place)
        let new: UInt64 =
            switch random.next() % 6 {
            case 0: 0
            case 1: old ^ 1 << (random.next() % 64)
            case 2: old ^ 1 << 63
            case 3: old &+ UInt64(clusterSize)
            case 4: old ^ 1 << (random.next() % 20)
            default: bytes.word(Int(random.next() % UInt64(bytes.count / 8)) * 8)
            }
        bytes.setWord(place, new)
        return "\(place): \(String(old, radix: 16)) -> \(String(new, radix: 16))"
    }
}

extension [UInt8] {
    /// The integer at `offset`, most significant byte first.
    func word(_ offset: Int) -> UInt64 {
        self[offset..<offset + 8].reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Overwrites the integer at `offset`, most significant byte first.
    mutating func setWord(_ offset: Int, _ value: UInt64) {
        for index in 0..<8 {
            self[offset + index] = UInt8(truncatingIfNeeded: value >> UInt64(56 - index * 8))
        }
    }
}
