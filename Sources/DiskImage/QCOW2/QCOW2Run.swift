// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// A run of guest bytes that L2 entries describe alike, and what the next entry must be for it to go on.
struct QCOW2Run {
    /// What the bytes are.
    enum Kind {
        case data
        case zero
        case unallocated
        case compressed
    }

    let kind: Kind
    /// The length in bytes.
    var length: UInt64
    /// Where the first byte is, in bytes, if `hasHost`; of a compressed cluster, where its stream starts.
    var host: UInt64 = 0
    var hasHost = false
    /// How many bytes a compressed cluster's stream may have.
    var compressedLength = 0
    /// The bits of the next entry that count, and their value.
    var mask: UInt64 = ~QCOW2.copied
    var next: UInt64 = 0
    /// What the value grows by from entry to entry: the cluster size or nothing.
    var step: UInt64 = 0

    init(_ kind: Kind, length: UInt64) {
        self.kind = kind
        self.length = length
    }

    init(unallocated length: UInt64) { self.init(.unallocated, length: length) }
}

/// An L2 entry that breaks the rules.
struct QCOW2EntryError: Error {
    let word: UInt64
    let reason: String
}
