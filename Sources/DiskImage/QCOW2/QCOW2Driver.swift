// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
package import Storage

/// Reads qcow2 images of version 2 and 3: the active state or an internal snapshot.
///
/// Opening validates header, snapshot table and the L1 table's place; L2 tables are validated entry by entry as they are asked for,
/// so that the cost follows what is read. The dirty and corrupt bits do not stop reading, as with qemu.
/// An encrypted image opens, so that it can be described; asking for its content fails with `unsupported`.
package final class QCOW2Driver: ImageDriver {
    package let format = ImageFormat.qcow2
    package let storage: any Storage
    /// The header as stored.
    package let header: QCOW2Header
    /// The internal snapshots, in table order.
    package let snapshots: [QCOW2Snapshot]
    package let guestSize: UInt64

    /// The external data file, where the image has one.
    let dataFile: (any Storage)?
    /// What holds the clusters: the data file or the image itself.
    let clusters: StorageMetadata
    let metadata: StorageMetadata
    /// The L1 entries that cover the disk.
    let l1: QCOW2L1Table
    /// Whether the L1 table names more L2 tables than the file has clusters: then tables are shared, and walking them could
    /// take for ever.
    let hasSharedTables: Bool
    /// The slices of L2 tables that were used last.
    let tables: TableCache
    private let allotment: Allotment
    let tableBuffers: BufferPool
    let decoder: ClusterDecoder
    /// The size of the snapshot table in bytes.
    let snapshotTableSize: UInt64

    /// Whether a storage that begins with `bytes` (4 are enough) is a qcow2 image.
    package static func probe(_ bytes: [UInt8]) -> Bool { QCOW2Header.matches(bytes) }

    /// Opens the image in `storage`; with `snapshot`, the state of that internal snapshot.
    ///
    /// `openDataFile` is called with the name that the image stores for its external data file, if it has one: the
    /// caller's gate decides there.
    /// Fails with `corrupt` or `unsupported`, naming field and offset, or with what reading fails with.
    package init(
        storage: any Storage,
        snapshot: SnapshotChoice? = nil,
        openDataFile: (String) throws(DrayError) -> any Storage
    ) throws(DrayError) {
        let metadata = StorageMetadata(storage)
        let header = try Self.readHeader(metadata)
        let table = try QCOW2Snapshot.readTable(header, metadata)
        self.storage = storage
        self.metadata = metadata
        self.header = header
        snapshots = table.snapshots
        snapshotTableSize = table.size
        let state = try Self.state(snapshot, header, table.snapshots, storage.name)
        guestSize = state.size
        l1 = try Self.readL1(state, header, metadata)
        let clusterCount = metadata.length.dividedRoundingUp(by: header.clusterSize)
        hasSharedTables = l1.presentCount > clusterCount
        dataFile = try Self.dataFile(header, storage.name, openDataFile)
        clusters = dataFile.map { StorageMetadata($0) } ?? metadata
        allotment = Allotment(of: .tables)
        let sliceBits = min(header.clusterBits, 16)
        tables = TableCache(capacity: allotment.bytes, tableBits: sliceBits)
        tableBuffers = BufferPool(bufferSize: 1 << Int(sliceBits))
        decoder = ClusterDecoder(header.compression, clusterSize: Int(header.clusterSize))
    }

    package var storages: [any Storage] { dataFile.map { [storage, $0] } ?? [storage] }
    package var backing: BackingReference? { header.backing }
    /// A window with its decoder, and a cluster that is wanted in part.
    package var readingMemory: Int { decoder.windowMemory + Int(header.clusterSize) }
}
