// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Storage

extension QCOW2Driver {
    /// The disk's size and L1 table: of the active state or of a snapshot.
    struct State {
        let size: UInt64
        let l1Offset: UInt64
        let l1Size: UInt32
        /// Whose L1 table it is, for messages.
        let owner: String
    }

    /// Reads and validates the header, and where it says that the refcount table is.
    static func readHeader(_ metadata: StorageMetadata) throws(DrayError) -> QCOW2Header {
        let name = metadata.storage.name
        let start = try metadata.bytes(
            "the header",
            at: 0,
            count: Int(min(metadata.length, UInt64(QCOW2.headerLengthFull)))
        )
        let clusterSize = try QCOW2Header.clusterSize(of: start, file: name)
        let cluster = try metadata.bytes(
            "the first cluster",
            at: 0,
            count: Int(min(metadata.length, UInt64(clusterSize)))
        )
        let header = try QCOW2Header(cluster, file: name)
        try checkRefcountTable(header, metadata)
        return header
    }

    private static func checkRefcountTable(_ header: QCOW2Header, _ metadata: StorageMetadata)
        throws(DrayError)
    {
        let name = metadata.storage.name
        let size = UInt64(header.refcountTableClusters) * header.clusterSize
        guard size > 0, size <= QCOW2.largestRefcountTable else {
            throw DrayError(
                .corrupt,
                "refcount_table_clusters is \(header.refcountTableClusters): none, or more than 8 MiB",
                file: name,
                offset: 56
            )
        }
        guard header.refcountTableOffset % header.clusterSize == 0 else {
            throw DrayError(
                .corrupt,
                "refcount_table_offset is \(header.refcountTableOffset), not a multiple of the cluster size",
                file: name,
                offset: 48
            )
        }
        try metadata.check("the refcount table", at: header.refcountTableOffset, size: size)
    }

    /// The state to read: that of the `wanted` snapshot, or the active one without.
    static func state(
        _ wanted: SnapshotChoice?,
        _ header: QCOW2Header,
        _ snapshots: [QCOW2Snapshot],
        _ file: String
    ) throws(DrayError) -> State {
        guard let wanted else {
            return State(
                size: header.size,
                l1Offset: header.l1TableOffset,
                l1Size: header.l1Size,
                owner: "active"
            )
        }
        guard let snapshot = wanted.first(of: snapshots) else {
            throw DrayError(.invalid, "the image has no snapshot \(wanted)", file: file)
        }
        guard !header.hasDataFile else {
            throw DrayError(
                .unsupported,
                "snapshots of an image with an external data file have no data",
                file: file
            )
        }
        let size = snapshot.diskSize ?? header.size
        guard size <= UnitSize.largestDisk else {
            throw DrayError(
                .corrupt,
                "snapshot \(snapshot.id) has a disk of \(size) bytes",
                file: file,
                offset: header.snapshotsOffset
            )
        }
        return State(
            size: size,
            l1Offset: snapshot.l1TableOffset,
            l1Size: snapshot.l1Size,
            owner: "snapshot \(snapshot.id)'s"
        )
    }

    /// Compares an L1 table's place and size with limits and file length. Returns how many entries cover the disk.
    static func checkL1(_ state: State, _ header: QCOW2Header, _ metadata: StorageMetadata)
        throws(DrayError) -> Int
    {
        let size = UInt64(state.l1Size) * 8
        let needed = state.size.dividedRoundingUp(by: header.l2Coverage)
        func fail(_ text: String, _ offset: UInt64) -> DrayError {
            DrayError(.corrupt, text, file: metadata.storage.name, offset: offset)
        }
        guard size <= QCOW2.largestL1 else {
            throw fail("the \(state.owner) L1 table has \(state.l1Size) entries: over 32 MiB", 36)
        }
        guard needed <= state.l1Size else {
            throw fail(
                "the \(state.owner) L1 table has \(state.l1Size) entries; a disk of \(state.size) bytes needs \(needed)",
                36
            )
        }
        guard state.l1Offset % header.clusterSize == 0 else {
            throw fail(
                "the \(state.owner) L1 table is at \(state.l1Offset), not at a multiple of the cluster size",
                40
            )
        }
        try metadata.check("the \(state.owner) L1 table", at: state.l1Offset, size: size)
        return Int(needed)
    }

    /// Reads the L1 entries that cover the disk. The active table is checked even where a snapshot's is read.
    static func readL1(_ state: State, _ header: QCOW2Header, _ metadata: StorageMetadata)
        throws(DrayError) -> QCOW2L1Table
    {
        _ = try checkL1(try Self.state(nil, header, [], ""), header, metadata)
        let count = try checkL1(state, header, metadata)
        let what = "the \(state.owner) L1 table"
        return try QCOW2L1Table(what, at: state.l1Offset, count: count, metadata)
    }

    /// Opens the external data file, if the image has one.
    static func dataFile(
        _ header: QCOW2Header,
        _ file: String,
        _ open: (String) throws(DrayError) -> any Storage
    ) throws(DrayError) -> (any Storage)? {
        guard header.hasDataFile else { return nil }
        guard let name = header.dataFileName, !name.isEmpty else {
            throw DrayError(
                .corrupt,
                "the image keeps its data in another file, but has no header extension that names it",
                file: file,
                offset: UInt64(header.headerLength)
            )
        }
        return try open(name)
    }
}
