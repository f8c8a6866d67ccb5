// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage
internal import TestSupport
internal import Testing

/// What is parsed is what was serialised.
@Suite struct QCOW2HeaderTests {
    @Test(arguments: [
        "", "-o compat=0.10", "-o compression_type=zstd,refcount_bits=64,cluster_size=2M",
        "-b base -F raw", "-b base -F raw -o compat=0.10", "-o data_file=data,data_file_raw=on",
        "-o extended_l2=on,lazy_refcounts=on",
    ])
    func `a header that qemu wrote is written again byte for byte`(options: String) throws {
        let workshop = try QCOW2Workshop()
        try workshop.shell("truncate -s 9M base; qemu-img create -q -f qcow2 \(options) image 5G")
        let bytes = try workshop.bytes("image")
        let cluster = try QCOW2Header.clusterSize(of: bytes, file: "image")
        let header = try QCOW2Header(Array(bytes[..<cluster]), file: "image")
        let again = try header.serialized()
        #expect(Array(bytes[..<again.count]) == again)
        #expect(bytes[again.count..<cluster].allSatisfy { $0 == 0 })
        #expect(header.size == 5 << 30)
    }

    @Test(arguments: [2, 3] as [UInt32])
    func `every field comes back`(version: UInt32) throws {
        var header = QCOW2Header(version: version, clusterBits: 9, size: 123_456_789)
        header.l1Size = 7
        header.l1TableOffset = 0x1_0000
        header.refcountTableOffset = 0x2_0000
        header.refcountTableClusters = 3
        header.snapshotCount = 4
        header.snapshotsOffset = 0x3_0000
        header.backingName = Array("base with ü".utf8)
        header.extensions = [
            QCOW2Header.Extension(QCOW2.extensionBackingFormat, Array("qcow2".utf8)),
            QCOW2Header.Extension(0x1234_5678, [1, 2, 3]),
        ]
        if version == 3 {
            header.incompatible = [.dirty, .compressionType]
            header.compatible = .lazyRefcounts
            header.autoclear = .bitmaps
            header.refcountOrder = 6
            header.compression = .zstd
        }
        let bytes = try header.serialized()
        let cluster = bytes + [UInt8](repeating: 0, count: 512 - bytes.count)
        #expect(try QCOW2Header(cluster, file: "memory") == header)
        #expect(header.backing == BackingReference(name: "base with ü", format: "qcow2"))
    }

    @Test func `what does not fit into the first cluster is refused`() {
        var header = QCOW2Header(version: 3, clusterBits: 9, size: 0)
        header.backingName = [UInt8](repeating: 65, count: 500)
        #expect(throws: DrayError.self) { try header.serialized() }
        header = QCOW2Header(version: 3, clusterBits: 16, size: 0)
        header.backingName = [UInt8](repeating: 65, count: 1024)
        #expect(throws: DrayError.self) { try header.serialized() }
    }

    @Test func `only the magic number is a qcow2 image`() {
        #expect(QCOW2Driver.probe([0x51, 0x46, 0x49, 0xFB]))
        #expect(!QCOW2Driver.probe([0x51, 0x46, 0x49]))
        #expect(!QCOW2Driver.probe([]))
        #expect(!QCOW2Driver.probe([0x51, 0x46, 0x49, 0xFC, 0]))
    }
}
