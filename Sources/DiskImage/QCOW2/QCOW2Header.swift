// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// The header of a qcow2 image with its extensions and the backing file name: everything in the first cluster.
///
/// A value with the fields as stored; ``init(_:file:)`` validates what can be told from the first cluster alone.
package struct QCOW2Header: Sendable, Hashable {
    /// A header extension: a type and bytes (specification, "Header extensions").
    package struct Extension: Sendable, Hashable {
        /// The type: one of ``QCOW2``'s `extension` constants or one that is not known.
        package let type: UInt32
        /// The data, without padding.
        package let data: [UInt8]

        /// Names an extension.
        package init(_ type: UInt32, _ data: [UInt8]) {
            self.type = type
            self.data = data
        }
    }

    /// 2 or 3 (bytes 4-7).
    package var version: UInt32
    /// The backing image's name as stored, at most 1023 bytes; nil without one (bytes 8-19 say where it is).
    package var backingName: [UInt8]?
    /// The binary logarithm of the cluster size in bytes (bytes 20-23).
    package var clusterBits: UInt32
    /// The virtual disk's size in bytes (bytes 24-31).
    package var size: UInt64
    /// 0 none, 1 AES, 2 LUKS (bytes 32-35).
    package var cryptMethod: UInt32 = 0
    /// How many entries the active L1 table has (bytes 36-39).
    package var l1Size: UInt32 = 0
    /// Where the active L1 table starts, in bytes (bytes 40-47).
    package var l1TableOffset: UInt64 = 0
    /// Where the refcount table starts, in bytes (bytes 48-55).
    package var refcountTableOffset: UInt64 = 0
    /// How many clusters the refcount table has (bytes 56-59).
    package var refcountTableClusters: UInt32 = 0
    /// How many internal snapshots there are (bytes 60-63).
    package var snapshotCount: UInt32 = 0
    /// Where the snapshot table starts, in bytes (bytes 64-71).
    package var snapshotsOffset: UInt64 = 0
    /// Version 3, bytes 72-79.
    package var incompatible: QCOW2Incompatible = []
    /// Version 3, bytes 80-87.
    package var compatible: QCOW2Compatible = []
    /// Version 3, bytes 88-95.
    package var autoclear: QCOW2Autoclear = []
    /// The binary logarithm of the refcount width in bits (version 3, bytes 96-99; 4 in version 2).
    package var refcountOrder: UInt32 = QCOW2.refcountOrderV2
    /// The header's length in bytes (version 3, bytes 100-103; 72 in version 2).
    package var headerLength: UInt32
    /// How clusters are compressed (version 3, byte 104, where the header is that long).
    package var compression = QCOW2Compression.zlib
    /// The extensions in file order, without the end marker.
    package var extensions: [Extension] = []

    /// A header of `version` (2 or 3) for a disk of `size` bytes: no tables yet, no extensions.
    package init(version: UInt32, clusterBits: UInt32, size: UInt64) {
        precondition(version == 2 || version == 3, "qcow2 has versions 2 and 3")
        precondition(QCOW2.clusterBits.contains(clusterBits), "clusters have 512 bytes to 2 MiB")
        self.version = version
        self.clusterBits = clusterBits
        self.size = size
        headerLength = UInt32(version == 2 ? QCOW2.headerLengthV2 : QCOW2.headerLengthFull)
    }

    /// The cluster size in bytes.
    package var clusterSize: UInt64 { 1 << UInt64(clusterBits) }
    /// The width of a refcount in bits.
    package var refcountBits: Int { 1 << Int(refcountOrder) }
    /// Whether L2 entries have 128 bits and describe subclusters.
    package var hasExtendedL2: Bool { incompatible.contains(.extendedL2) }
    /// Whether guest data lie in another file.
    package var hasDataFile: Bool { incompatible.contains(.dataFile) }
    /// The size of an L2 entry in bytes: 8, or 16 when extended.
    package var l2EntrySize: UInt64 { hasExtendedL2 ? 16 : 8 }
    /// How many entries an L2 table has.
    package var l2Entries: UInt64 { clusterSize / l2EntrySize }
    /// How many guest bytes an L2 table covers.
    package var l2Coverage: UInt64 { l2Entries * clusterSize }
    /// How many refcounts a refcount block has.
    package var refcountBlockEntries: UInt64 { clusterSize * 8 / UInt64(refcountBits) }

    /// The data of the first extension of `type`.
    package func data(of type: UInt32) -> [UInt8]? {
        extensions.first { $0.type == type }?.data
    }

    /// The backing image as the overlay names it.
    package var backing: BackingReference? {
        guard let backingName else { return nil }
        let format = data(of: QCOW2.extensionBackingFormat)
        return BackingReference(
            name: String(decoding: backingName, as: UTF8.self),
            format: format.map { String(decoding: $0, as: UTF8.self) }
        )
    }

    /// The external data file's name as stored.
    package var dataFileName: String? {
        data(of: QCOW2.extensionDataFile).map { String(decoding: $0, as: UTF8.self) }
    }
}
