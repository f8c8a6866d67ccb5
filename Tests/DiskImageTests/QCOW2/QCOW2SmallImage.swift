// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage
internal import Storage

/// A small image that is built by hand, to be damaged: clusters of 4 KiB; refcount table, refcount block, L1 table, L2 table and data
/// are clusters 1 to 5, a compressed cluster is in cluster 6, a snapshot table in 7.
struct QCOW2SmallImage {
    static let clusterSize = 4096
    static let refcountTable = 1 * clusterSize
    static let refcountBlock = 2 * clusterSize
    static let l1 = 3 * clusterSize
    static let l2 = 4 * clusterSize
    static let data = 5 * clusterSize
    static let compressed = 6 * clusterSize
    static let snapshotTable = 7 * clusterSize
    static let guestSize = 64 * clusterSize

    var bytes: [UInt8]

    /// Guest cluster 0 is data (bytes of 0xAB), 1 compressed (the byte 0x5A over and over), 2 zero with a place, 3 zero; the rest is not
    /// allocated. Snapshot "1" ("first") has the same L1 table.
    init(version: UInt32 = 3) throws {
        var header = QCOW2Header(
            version: version,
            clusterBits: 12,
            size: UInt64(Self.guestSize)
        )
        header.l1Size = 1
        header.l1TableOffset = UInt64(Self.l1)
        header.refcountTableOffset = UInt64(Self.refcountTable)
        header.refcountTableClusters = 1
        header.snapshotCount = 1
        header.snapshotsOffset = UInt64(Self.snapshotTable)
        let start = try header.serialized()
        bytes = start + [UInt8](repeating: 0, count: 8 * Self.clusterSize - start.count)
        bytes.setWord(Self.refcountTable, UInt64(Self.refcountBlock))
        bytes.setWord(Self.l1, UInt64(Self.l2) | 1 << 63)
        bytes.setWord(Self.l2, UInt64(Self.data) | 1 << 63)
        for index in 0..<Self.clusterSize { bytes[Self.data + index] = 0xAB }
        putCompressed()
        bytes.setWord(Self.l2 + 16, UInt64(Self.data) | 1)
        bytes.setWord(Self.l2 + 24, 1)
        putSnapshot()
    }

    /// A stored deflate block of the whole cluster: 5 bytes of header and the bytes.
    private mutating func putCompressed() {
        let size = UInt16(Self.clusterSize - 2048)
        var stream: [UInt8] = []
        for last in [UInt8(0), 1] {
            stream += [last, UInt8(size & 255), UInt8(size >> 8)]
            stream += [UInt8(~size & 255), UInt8(~size >> 8)]
            stream += [UInt8](repeating: 0x5A, count: Int(size))
        }
        // The stream is 10 bytes longer than a cluster: it begins in the cluster before.
        let place = Self.compressed - 512
        bytes.replaceSubrange(place..<place + stream.count, with: stream)
        putCompressedEntry(at: place, sectors: 9)
    }

    /// The L2 entry of guest cluster 1: `sectors` of 512 bytes from `place` on.
    mutating func putCompressedEntry(at place: Int, sectors: UInt64) {
        bytes.setWord(Self.l2 + 8, 1 << 62 | (sectors - 1) << 58 | UInt64(place))
    }

    private mutating func putSnapshot() {
        let entry = Self.snapshotTable
        bytes.setWord(entry, UInt64(Self.l1))
        bytes[entry + 11] = 1
        bytes[entry + 13] = 1
        bytes[entry + 15] = 5
        bytes[entry + 39] = 16
        bytes.setWord(entry + 48, UInt64(Self.guestSize))
        bytes.replaceSubrange(entry + 56..<entry + 62, with: Array("1first".utf8))
    }

    /// Opens the image as it is now.
    func open(snapshot: String? = nil) throws(DrayError) -> QCOW2Driver {
        try QCOW2Driver(
            storage: MemoryStorage(bytes: bytes),
            snapshot: snapshot.map { .idOrName($0) }
        ) {
            (name) throws(DrayError) in throw DrayError(.refused, "data file \(name)")
        }
    }

    /// Opens the image, reads everything of it, and describes and checks it: whatever fails first is thrown.
    func readAll(snapshot: String? = nil) throws {
        let driver = try open(snapshot: snapshot)
        _ = try QCOW2Workshop.content(of: driver)
        _ = try driver.information()
        _ = try driver.check()
    }
}
