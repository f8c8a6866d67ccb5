// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

/// The sizes that follow from a disk's size and an image's header.
struct QCOW2Geometry: Sendable, Hashable {
    /// Guest clusters of the disk.
    let clusters: UInt64
    /// L1 entries: just as many as the disk needs.
    let l1Entries: UInt64
    /// Bytes of the header and of all tables of an image that is all data, in whole clusters.
    let metadataLength: UInt64

    /// Fails with `invalid` where the L1 table would be larger than qemu opens.
    init(_ header: QCOW2Header) throws(DrayError) {
        let size = header.clusterSize
        clusters = header.size.dividedRoundingUp(by: size)
        l1Entries = clusters.dividedRoundingUp(by: header.l2Entries)
        guard l1Entries * 8 <= QCOW2.largestL1 else {
            throw DrayError(
                .invalid,
                "a disk of \(header.size) bytes is too large for clusters of \(size) bytes; "
                    + "use a larger cluster_size"
            )
        }
        let tables = l1Entries + (l1Entries * 8).dividedRoundingUp(by: size)
        let refcounts = RefcountSize(
            others: 1 + clusters + tables,
            entriesPerBlock: header.refcountBlockEntries,
            blocksPerTableCluster: size / 8
        )
        metadataLength = (1 + tables + refcounts.blocks + refcounts.tableClusters) * size
    }
}
