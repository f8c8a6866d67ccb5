// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Storage

/// An internal snapshot: an entry of the snapshot table (specification, "Snapshots").
package struct QCOW2Snapshot: Sendable, Hashable {
    /// The id, unique in the image: usually a number.
    package var id: String
    /// The name that the user gave.
    package var name: String
    /// Where the snapshot's L1 table starts, in bytes.
    package var l1TableOffset: UInt64
    /// How many entries its L1 table has.
    package var l1Size: UInt32
    /// When it was taken, in seconds since 1970.
    package var dateSeconds: UInt32
    /// The nanoseconds of that time.
    package var dateNanoseconds: UInt32
    /// How long the guest had run, in nanoseconds.
    package var vmClockNanoseconds: UInt64
    /// The size of the saved machine state, in bytes.
    package var vmStateSize: UInt64
    /// The disk's size at the time, in bytes; nil where the entry does not tell (version 2).
    package var diskSize: UInt64?
    /// The instruction count, where the entry tells.
    package var instructionCount: UInt64?
    /// The size of the entry's extra data, in bytes.
    package var extraSize: UInt32
}

extension QCOW2Snapshot {
    /// Reads the snapshot table that `header` names. Returns the snapshots and the table's size in bytes.
    static func readTable(_ header: QCOW2Header, _ metadata: StorageMetadata) throws(DrayError)
        -> (snapshots: [QCOW2Snapshot], size: UInt64)
    {
        guard header.snapshotCount > 0 else { return ([], 0) }
        let file = metadata.storage.name
        guard header.snapshotCount <= QCOW2.mostSnapshots else {
            throw DrayError(
                .unsupported,
                "nb_snapshots is \(header.snapshotCount), more than \(QCOW2.mostSnapshots)",
                file: file,
                offset: 60
            )
        }
        guard header.snapshotsOffset % header.clusterSize == 0 else {
            throw DrayError(
                .corrupt,
                "snapshots_offset is \(header.snapshotsOffset), not a multiple of the cluster size",
                file: file,
                offset: 64
            )
        }
        var cursor = QCOW2MetadataCursor(
            metadata,
            "the snapshot table",
            at: header.snapshotsOffset,
            limit: QCOW2.largestSnapshotTable
        )
        // Each entry has 40 bytes at least: the count cannot make the array larger than the file is.
        var snapshots: [QCOW2Snapshot] = []
        for _ in 0..<header.snapshotCount {
            cursor.align()
            snapshots.append(try QCOW2Snapshot(&cursor))
        }
        return (snapshots, cursor.position - header.snapshotsOffset)
    }

    private init(_ cursor: inout QCOW2MetadataCursor) throws(DrayError) {
        let fields = try cursor.take(40)
        l1TableOffset = fields.load(0)
        l1Size = fields.load(8)
        dateSeconds = fields.load(16)
        dateNanoseconds = fields.load(20)
        vmClockNanoseconds = fields.load(24)
        vmStateSize = UInt64(fields.load(32, as: UInt32.self))
        extraSize = fields.load(36)
        guard extraSize <= QCOW2.mostSnapshotExtra else {
            throw fields.unsupported(
                "a snapshot has \(extraSize) bytes of extra data, more than 1024",
                36
            )
        }
        let extra = try cursor.take(Int(extraSize))
        if extraSize >= 8 { vmStateSize = extra.load(0) }
        if extraSize >= 16 { diskSize = extra.load(8) }
        if extraSize >= 24 { instructionCount = extra.load(16) }
        let identifier = try cursor.take(Int(fields.load(12, as: UInt16.self)))
        id = String(decoding: identifier.bytes, as: UTF8.self)
        let label = try cursor.take(Int(fields.load(14, as: UInt16.self)))
        name = String(decoding: label.bytes, as: UTF8.self)
    }
}
