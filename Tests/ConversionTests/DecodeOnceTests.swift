// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Conversion
internal import DiskImage
internal import Storage
internal import Synchronization
internal import TaskLog
internal import TestSupport
internal import Testing

/// Forwards to a driver, and counts how often each cluster is decoded and how many at once.
private final class CountingDriver: ImageDriver {
    private struct Counts {
        var decoded: [CompressedCluster: Int] = [:]
        var running = 0
        var most = 0
    }

    private let driver: any ImageDriver
    private let counts = Monitor(Counts())
    /// How many decodes wait for each other before the first goes on.
    private let company: Int

    init(_ driver: any ImageDriver, company: Int) {
        self.driver = driver
        self.company = company
    }

    /// How often each cluster was decoded.
    var decoded: [CompressedCluster: Int] { counts.withLock { $0.decoded } }
    /// The most decodes that ran at one time.
    var most: Int { counts.withLock { $0.most } }

    func decode(
        _ cluster: CompressedCluster,
        into buffer: AlignedBuffer,
        at start: Int
    ) throws(DrayError) {
        counts.withLock { counts in
            counts.decoded[cluster, default: 0] += 1
            counts.running += 1
            counts.most = max(counts.most, counts.running)
        }
        counts.wake()
        let company = company
        _ = counts.wait(milliseconds: 10_000) { $0.most >= company ? true : nil }
        defer { counts.withLock { $0.running -= 1 } }
        try driver.decode(cluster, into: buffer, at: start)
    }

    var format: ImageFormat { driver.format }
    var storage: any Storage { driver.storage }
    var storages: [any Storage] { driver.storages }
    var guestSize: UInt64 { driver.guestSize }
    var backing: BackingReference? { driver.backing }
    func map(_ offset: GuestOffset, limit: UInt64) throws(DrayError) -> LayerExtent {
        try driver.map(offset, limit: limit)
    }
    func check() throws(DrayError) -> CheckReport? { try driver.check() }
    func information() throws(DrayError) -> FormatInformation { try driver.information() }
}

/// Compressed sources: each cluster is decoded once, however its stream lies, by all threads at once.
@Suite struct DecodeOnceTests {
    /// Options of an image, and whether its streams are so small that many share a sector.
    static let images = [
        ("cluster_size=512", true), ("cluster_size=4k,compression_type=zstd", true),
        ("cluster_size=64k", false), ("cluster_size=64k,compression_type=zstd", true),
        ("cluster_size=2M", false), ("cluster_size=2M,compression_type=zstd", false),
    ]

    private func makeImage(_ options: String, isTiny: Bool, in directory: TemporaryDirectory) throws
        -> String
    {
        let (raw, image) = (directory.file("raw"), directory.file("image"))
        let fill = isTiny ? "yes $(head -c 300 /dev/zero | tr '\\0' x)" : "seq 1 9999999"
        try Tool.check(["bash", "-c", "(\(fill)) | head -c 16M > \(raw)"])
        try Tool.check([
            "qemu-img", "convert", "-c", "-f", "raw", "-O", "qcow2", "-o", options, raw, image,
        ])
        return image
    }

    @Test(.timeLimit(.minutes(15)), arguments: images)
    func `each cluster is decoded once, by all threads at once`(
        options: String,
        isTiny: Bool
    ) throws {
        let directory = try TemporaryDirectory()
        let path = try makeImage(options, isTiny: isTiny, in: directory)
        let layer = try ImageOpener(gate: DirectoryGate()).open(path: path).layers[0]
        let threads = 4
        let driver = CountingDriver(layer, company: threads)
        let disk = try SourceDisk([Image(path: path, layers: [driver])])
        let failed = Mutex<[String]>([])
        let share = disk.guestSize / UInt64(threads)
        let readers = try (0..<UInt64(threads)).map { number in
            try OwnThread {
                do {
                    try Self.read(number * share..<(number + 1) * share, of: disk)
                } catch {
                    failed.withLock { $0.append("\(error)") }
                }
            }
        }
        for reader in readers { reader.join() }
        #expect(failed.withLock { $0 } == [])
        #expect(driver.most == threads)
        let decoded = driver.decoded
        let size = UInt64(try #require(decoded.keys.first).guestLength)
        #expect(UInt64(decoded.count) == disk.guestSize / size)
        #expect(decoded.values.allSatisfy { $0 == 1 })
        try expectSharing(decoded.keys, isTiny: isTiny)
    }

    /// Reads in order, a chunk at a time, as a range's task does.
    private static func read(_ bytes: Range<UInt64>, of disk: SourceDisk) throws(DrayError) {
        let reader = SourceReader(disk)
        let buffer = AlignedBuffer(count: UnitSize.chunk)
        var position = bytes.lowerBound
        while position < bytes.upperBound {
            let length = min(UInt64(UnitSize.chunk), bytes.upperBound - position)
            let range = GuestRange(GuestOffset(position), length: length)
            try reader.read(range, into: buffer, at: 0)
            position += length
        }
    }

    /// Expects that streams share sectors, and that some cross from one cluster of the file to the next: else the test proves little.
    private func expectSharing(_ clusters: some Collection<CompressedCluster>, isTiny: Bool) throws
    {
        let sectors = Set(clusters.map { $0.host.bytes / 512 })
        if isTiny { #expect(sectors.count * 3 < clusters.count * 2) }
        let size = UInt64(clusters.first?.guestLength ?? 1)
        let crossing = clusters.filter { cluster in
            let last = cluster.host.bytes + UInt64(cluster.hostLength) - 1
            return cluster.host.bytes / size != last / size
        }
        let starts = Set(clusters.map { $0.host.bytes / size })
        if starts.count > 3 { #expect(!crossing.isEmpty) }
    }
}
