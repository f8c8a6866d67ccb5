// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// A VMDK descriptor: the text that says what a disk is made of (specification, "The Descriptor File"). It is a file of its own or
/// embedded in a sparse extent.
package struct VMDKDescriptor: Sendable, Hashable {
    /// An entry of the disk database: `ddb.key = "value"`.
    package struct DatabaseEntry: Sendable, Hashable {
        /// The key, with its `ddb.`.
        package var key: String
        /// The value, without quotes.
        package var value: String

        /// Names an entry.
        package init(_ key: String, _ value: String) {
            self.key = key
            self.value = value
        }
    }

    /// The descriptor's version: 1 to 3.
    package var version: UInt32 = 1
    /// The encoding of the text as it says, if it does. What is read is UTF-8 in any case.
    package var encoding: String?
    /// The content id: a new number with each first write after opening.
    package var cid: UInt32
    /// The content id that the parent had when this disk was put on top of it; ``VMDK/noParent`` without one.
    package var parentCID: UInt32 = VMDK.noParent
    /// Whether the line `isNativeSnapshot="no"` is there.
    package var saysNoNativeSnapshot = false
    /// How the disk is stored: `monolithicSparse` and so on.
    package var createType: String
    /// The parent's name, if there is one.
    package var parentFileNameHint: String?
    /// The extents, in the order of the disk.
    package var extents: [VMDKExtentLine]
    /// The change tracking file's name, if there is one. It is not read.
    package var changeTrackPath: String?
    /// The disk database, in order.
    package var database: [DatabaseEntry] = []

    /// A descriptor of a disk without a parent.
    package init(cid: UInt32, createType: String, extents: [VMDKExtentLine]) {
        self.cid = cid
        self.createType = createType
        self.extents = extents
    }

    /// The disk's size in sectors. The parser has limited it.
    package var sectors: UInt64 { extents.reduce(0) { $0 + $1.sectors } }

    /// The value of the database's entry `key`, if it is there.
    package func databaseValue(_ key: String) -> String? {
        database.first { $0.key == key }?.value
    }
}

/// An extent as a descriptor's line has it: `RW 4192256 SPARSE "disk-s001.vmdk"`.
package struct VMDKExtentLine: Sendable, Hashable {
    /// What a machine may do with the extent.
    package enum Access: String, Sendable, Hashable, CaseIterable {
        /// Read and write.
        case readWrite = "RW"
        /// Only read.
        case readOnly = "RDONLY"
    }

    /// How the extent is stored.
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        /// Bytes as they are, in a file or a part of it.
        case flat = "FLAT"
        /// Grains and tables, as in ``VMDKSparseHeader``.
        case sparse = "SPARSE"
        /// No file: zeros.
        case zero = "ZERO"
        /// Bytes as they are, on VMFS.
        case vmfs = "VMFS"
        /// Grains and tables of the older form (COWD), on VMFS.
        case vmfsSparse = "VMFSSPARSE"
        /// Grains and tables of the space-efficient form, on VMFS.
        case seSparse = "SESPARSE"
    }

    /// What a machine may do with it.
    package var access: Access
    /// The size in sectors of 512 bytes.
    package var sectors: UInt64
    /// How it is stored.
    package var kind: Kind
    /// The file's name; empty for zeros.
    package var name: String
    /// Where the extent starts in its file, in sectors: for flat ones.
    package var offset: UInt64
    /// The number of the line, for messages; 0 where there is no text yet.
    package var line: Int

    /// Names an extent.
    package init(
        _ access: Access,
        sectors: UInt64,
        _ kind: Kind,
        name: String,
        offset: UInt64 = 0,
        line: Int = 0
    ) {
        self.access = access
        self.sectors = sectors
        self.kind = kind
        self.name = name
        self.offset = offset
        self.line = line
    }
}
