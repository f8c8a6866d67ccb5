// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage
internal import Storage
internal import TestSupport
internal import Testing

/// The map is what `qemu-img map` prints, and its cost follows the metadata that exist.
@Suite struct QCOW2MapTests {
    /// The map of `driver` as lines of qemu-img's JSON, neighbours of one kind merged.
    static func lines(_ driver: QCOW2Driver, step: UInt64) throws -> [String] {
        var lines: [String] = []
        var start: UInt64 = 0
        var length: UInt64 = 0
        var kind = ""
        var host: UInt64?
        func flush() {
            guard length > 0 else { return }
            let place = host.map { ", \"offset\": \($0)" } ?? ""
            lines.append(
                "{ \"start\": \(start), \"length\": \(length), \"depth\": 0, \(kind)\(place)}"
            )
        }
        var position: UInt64 = 0
        while position < driver.guestSize {
            let run = try driver.map(GuestOffset(position), limit: step)
            let (nextKind, nextHost) = describe(run.place)
            let follows = host.map { $0 + length } == nextHost
            if length > 0, nextKind == kind, follows {
                length += run.length
            } else {
                flush()
                (start, length, kind, host) = (position, run.length, nextKind, nextHost)
            }
            position += run.length
        }
        flush()
        return lines
    }

    private static func describe(_ place: Place) -> (String, UInt64?) {
        switch place {
        case .data(_, let host):
            ("\"present\": true, \"zero\": false, \"data\": true", host.bytes)
        case .compressed: ("\"present\": true, \"zero\": false, \"data\": true", nil)
        case .zero(_, let host):
            ("\"present\": true, \"zero\": true, \"data\": false", host?.bytes)
        case .unallocated: ("\"present\": false, \"zero\": true, \"data\": false", nil)
        }
    }

    /// The lines of qemu-img, without the offsets of subclusters that have a place but no content: a map does not tell them.
    private static func expected(_ text: String) -> [String] {
        var lines: [String] = []
        var hole: (start: UInt64, end: UInt64)?
        func flush() {
            guard let (start, end) = hole else { return }
            let state = "\"present\": false, \"zero\": true, \"data\": false"
            lines.append(
                "{ \"start\": \(start), \"length\": \(end - start), \"depth\": 0, \(state)}"
            )
            hole = nil
        }
        for line in text.split(separator: "\n") {
            let numbers = line.split { !$0.isNumber }.compactMap { UInt64($0) }
            if line.contains("\"present\": false") {
                hole = (hole?.start ?? numbers[0], numbers[0] + numbers[1])
                continue
            }
            flush()
            lines.append(String(line.trimmingPrefix("[").prefix { $0 != "}" }) + "}")
        }
        flush()
        return lines
    }

    @Test(arguments: [
        "cluster_size=64k", "cluster_size=512", "compat=0.10", "extended_l2=on",
        "extended_l2=on,cluster_size=16k", "cluster_size=2M", "data_file=data.raw",
    ])
    func `the map equals qemu-img's`(options: String) throws {
        let workshop = try QCOW2Workshop()
        let zeros = options.contains("0.10") ? "" : "-c 'write -z 1500k 200k' -c 'discard 60k 70k'"
        try workshop.shell(
            """
            qemu-img create -q -f qcow2 -o \(options) image 300M
            qemu-io -c 'write -P 1 0 300k' -c 'write -P 2 1M 100k' \(zeros) -c 'write 299M 1M' image
            qemu-io -c 'write -P 2 100M 40M' -c 'write 3M 1k' image
            """
        )
        if !options.contains("data_file") {
            try workshop.shell("qemu-io -c 'write -c -P 5 250M 2M' image")
        }
        let text = try workshop.shell("qemu-img map -f qcow2 --output json image")
        let expected = Self.expected(text)
        let driver = try workshop.open("image")
        for step in [UInt64.max, 1 << 20, 1 << 16] {
            #expect(try Self.lines(driver, step: step) == expected)
        }
    }

    @Test func `an empty disk of 1 TiB is one run`() throws {
        let workshop = try QCOW2Workshop()
        try workshop.shell("qemu-img create -q -f qcow2 image 1T")
        let driver = try workshop.open("image")
        let run = try driver.map(GuestOffset(0), limit: .max)
        #expect(run.length == 1 << 40)
        #expect(try driver.map(GuestOffset(12345), limit: .max).length == 1 << 40 - 12345)
    }

    @Test func `runs go on across L2 tables, and reading each table once is enough`() throws {
        let workshop = try QCOW2Workshop()
        try workshop.shell(
            "qemu-img create -q -f qcow2 -o preallocation=metadata,cluster_size=512 image 64M"
        )
        let storage = try CountingStorage(workshop.storage("image"))
        let driver = try QCOW2Driver(storage: storage) { (_) throws(DrayError) in storage }
        let before = storage.reads
        var runs = 0
        var position: UInt64 = 0
        while position < driver.guestSize {
            position += try driver.map(GuestOffset(position), limit: .max).length
            runs += 1
        }
        // 2048 tables of 32 KiB each; metadata of the image itself interrupt the data once a refcount block.
        #expect(storage.reads - before <= 2048)
        #expect(runs < 2100)
    }

    @Test func `an error belongs to the bytes that it concerns`() throws {
        var image = try QCOW2SmallImage()
        image.bytes.setWord(QCOW2SmallImage.l2 + 40, 2)
        let driver = try image.open()
        let run = try driver.map(GuestOffset(4 * 4096), limit: .max)
        #expect(run.length == 4096)
        let error = #expect(throws: DrayError.self) {
            try driver.map(GuestOffset(5 * 4096), limit: .max)
        }
        #expect(error?.message.contains("guest offset 20480") == true)
        #expect(try driver.map(GuestOffset(6 * 4096), limit: .max).length == 58 * 4096)
    }
}
