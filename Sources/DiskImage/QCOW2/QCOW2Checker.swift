// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Storage

/// Verifies an image's metadata as `qemu-img check` does: counts the references to every cluster from header, L1 and L2 tables,
/// snapshots, bitmaps and refcount blocks, and compares the counts with the refcounts that are stored.
///
/// Each distinct L2 table is walked once, whatever the number of references to it, so that the work is bounded by the file.
struct QCOW2Checker {
    /// The most L1 entries, active and of all snapshots, that are looked at.
    static let mostL1Entries: UInt64 = 16 << 20
    /// How many L2 tables that are not at a multiple of the cluster size are walked: they can overlap without end.
    static let mostUnalignedTables = 1024
    private static let mostFindings = 100

    let header: QCOW2Header
    let metadata: StorageMetadata
    let clusterSize: UInt64
    private let snapshots: [QCOW2Snapshot]
    private let snapshotTableSize: UInt64
    /// The file's length in whole sectors, in bytes: qemu counts so.
    let fileLength: UInt64
    var report = CheckReport()
    var counts: QCOW2ReferenceCounts
    var stored: QCOW2StoredRefcounts
    /// An entry for each reference to an L2 table: its offset, plus 1 where the active L1 table holds it.
    private var tables: [UInt64] = []

    init(_ driver: QCOW2Driver) throws(DrayError) {
        header = driver.header
        metadata = driver.metadata
        clusterSize = header.clusterSize
        snapshots = driver.snapshots
        snapshotTableSize = driver.snapshotTableSize
        fileLength = driver.metadata.length.roundedUp(to: 512) ?? driver.metadata.length
        counts = try QCOW2ReferenceCounts(
            clusterCount: fileLength.dividedRoundingUp(by: clusterSize),
            bits: header.refcountBits,
            file: driver.storage.name
        )
        stored = try QCOW2StoredRefcounts(header, metadata)
        report.totalClusters = header.size.dividedRoundingUp(by: clusterSize)
    }

    /// Does all of it.
    mutating func run() throws(DrayError) -> CheckReport {
        checkSnapshotEntries()
        reference(0, clusterSize)
        try checkL1(header.l1TableOffset, header.l1Size, isActive: true)
        try checkSnapshots()
        try checkTables()
        reference(header.snapshotsOffset, snapshotTableSize)
        let tableSize = UInt64(header.refcountTableClusters) * clusterSize
        reference(header.refcountTableOffset, tableSize)
        checkEncryption()
        // With bitmaps that cannot be read, the counts would be too low: qemu stops here too.
        guard try checkBitmaps() else { return report }
        checkRefcountBlocks()
        try compare()
        return report
    }

    /// Notes a finding; only the first are kept.
    mutating func note(_ text: @autoclosure () -> String) {
        if report.findings.count < Self.mostFindings { report.findings.append(text()) }
    }

    /// Notes `times` corruptions of one sort.
    mutating func corruption(_ times: UInt64 = 1, _ text: @autoclosure () -> String) {
        report.corruptions += times
        note("ERROR " + text())
    }

    /// Counts `times` references to the clusters of a stretch. The last cluster may be cut off by the file's end.
    mutating func reference(_ offset: UInt64, _ size: UInt64, times: UInt64 = 1) {
        guard size > 0 else { return }
        guard let end = offset.adding(size), end < fileLength || end - fileLength < clusterSize
        else {
            corruption(
                times,
                "reference beyond the end of the file: offset=\(hex(offset)) size=\(size)"
            )
            return
        }
        let first = Int(offset / clusterSize)
        let last = Int((end - 1) / clusterSize)
        counts.reach(last)
        for cluster in first...last {
            if times == 1, counts.addFirst(to: cluster) { continue }
            let lost = counts.add(times, to: cluster)
            if lost > 0 {
                corruption(
                    lost,
                    "more references than a refcount can hold: cluster \(cluster)"
                )
            }
        }
    }

    // MARK: Snapshots

    /// In version 3, every snapshot has at least 16 bytes of extra data.
    private mutating func checkSnapshotEntries() {
        guard header.version >= 3 else { return }
        for snapshot in snapshots where snapshot.extraSize < 16 {
            corruption(1, "snapshot table entry \(snapshot.id) is incomplete")
        }
    }

    private mutating func checkSnapshots() throws(DrayError) {
        if header.hasDataFile, !snapshots.isEmpty {
            corruption(1, "there are snapshots in an image with a data file")
        }
        var entries = UInt64(header.l1Size)
        for snapshot in snapshots {
            guard snapshot.l1TableOffset % clusterSize == 0 else {
                corruption(
                    1,
                    "snapshot \(snapshot.id): its L1 table is not at a multiple of the cluster size"
                )
                continue
            }
            guard UInt64(snapshot.l1Size) * 8 <= QCOW2.largestL1 else {
                corruption(1, "snapshot \(snapshot.id): its L1 table is too large")
                continue
            }
            entries += UInt64(snapshot.l1Size)
            guard entries <= Self.mostL1Entries else {
                throw DrayError(
                    .unsupported,
                    "the L1 tables have more than \(Self.mostL1Entries) entries, more than can be checked",
                    file: metadata.storage.name
                )
            }
            try checkL1(snapshot.l1TableOffset, snapshot.l1Size, isActive: false)
        }
    }

    // MARK: L1 tables

    private mutating func checkL1(_ offset: UInt64, _ size: UInt32, isActive: Bool)
        throws(DrayError)
    {
        guard size > 0 else { return }
        reference(offset, UInt64(size) * 8)
        let entries = try metadata.paddedWords(at: offset, count: Int(size))
        for (index, entry) in entries.enumerated() where entry != 0 {
            if entry & QCOW2.l1Reserved != 0 {
                corruption(1, "L1 entry with reserved bits set: \(hex(entry))")
            }
            let table = entry & QCOW2.offsetMask
            reference(table, clusterSize)
            if table % clusterSize != 0 {
                corruption(1, "L2 table at \(hex(table)) is not at a multiple of the cluster size")
            }
            tables.append(table | (isActive ? 1 : 0))
            if isActive, table != 0 { try checkCopied(entry, "L1 entry \(index)") }
        }
    }

    /// The copied flag is set exactly where the stored refcount is 1.
    mutating func checkCopied(_ entry: UInt64, _ what: @autoclosure () -> String, times: UInt64 = 1)
        throws(DrayError)
    {
        let cluster = (entry & QCOW2.offsetMask) / clusterSize
        // Where the block cannot be read, comparing reports it.
        guard let refcount = try stored.refcount(cluster) else { return }
        if (refcount == 1) != (entry & QCOW2.copied != 0) {
            corruption(times, "OFLAG_COPIED: \(what()) is \(hex(entry)), refcount=\(refcount)")
        }
    }

    /// Walks every L2 table once, with the number of references to it.
    private mutating func checkTables() throws(DrayError) {
        tables.sort()
        let sorted = tables
        var unaligned = 0
        var first = 0
        while first < sorted.count {
            let offset = sorted[first] & ~1
            var next = first
            var active: UInt64 = 0
            while next < sorted.count, sorted[next] & ~1 == offset {
                active += sorted[next] & 1
                next += 1
            }
            if offset % clusterSize != 0 { unaligned += 1 }
            if offset % clusterSize == 0 || unaligned <= Self.mostUnalignedTables {
                try checkL2(offset, active: active, all: UInt64(next - first))
            }
            first = next
        }
    }
}

/// A number as findings print it.
func hex(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }
