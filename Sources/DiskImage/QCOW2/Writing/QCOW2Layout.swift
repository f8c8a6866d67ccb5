// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

/// Where a sealed image's tables lie: behind the payload, L2 tables, refcount blocks, the refcount table and the L1
/// table follow each other. The L1 table is last and the file ends with its last entry, as in the images that qemu
/// makes.
struct QCOW2Layout: Hashable {
    /// The first L2 table.
    let l2Start: HostOffset
    /// The first refcount block.
    let refcountBlocks: HostOffset
    /// How many refcount blocks there are.
    let refcountBlockCount: UInt64
    /// The refcount table.
    let refcountTable: HostOffset
    /// How many clusters the refcount table has.
    let refcountTableClusters: UInt64
    /// The L1 table; meaningless without entries.
    let l1Table: HostOffset
    /// The file's length in bytes.
    let length: UInt64
    /// The clusters of all tables, by host cluster index.
    let tableClusters: Range<UInt64>

    /// The layout of an image of `header`'s cluster size and refcount width with `l1Entries` L1 entries and `l2Tables` L2
    /// tables behind `payloadEnd`. Fails with `unsupported` where the refcount table would be larger than qemu opens.
    init(
        _ header: QCOW2Header,
        payloadEnd: HostOffset,
        l1Entries: UInt64,
        l2Tables: UInt64
    ) throws(DrayError) {
        let size = header.clusterSize
        let l1Clusters = (l1Entries * 8).dividedRoundingUp(by: size)
        let others = payloadEnd.bytes / size + l2Tables + l1Clusters
        let refcounts = RefcountSize(
            others: others,
            entriesPerBlock: header.refcountBlockEntries,
            blocksPerTableCluster: size / 8
        )
        guard refcounts.tableClusters * size <= QCOW2.largestRefcountTable else {
            throw DrayError(
                .unsupported,
                "the image would have \(others) clusters of \(size) bytes, more than its refcount table can count; "
                    + "use a larger cluster_size or a smaller refcount_bits"
            )
        }
        l2Start = payloadEnd
        refcountBlocks = l2Start + l2Tables * size
        refcountBlockCount = refcounts.blocks
        refcountTable = refcountBlocks + refcounts.blocks * size
        refcountTableClusters = refcounts.tableClusters
        l1Table = refcountTable + refcounts.tableClusters * size
        length = l1Table.bytes + l1Entries * 8
        let first = payloadEnd.bytes / size
        tableClusters = first..<length.dividedRoundingUp(by: size)
    }
}

/// How many clusters it takes to count `others` clusters and the counting ones themselves.
struct RefcountSize: Hashable {
    /// Refcount blocks.
    let blocks: UInt64
    /// Clusters of the refcount table.
    let tableClusters: UInt64

    /// Grows both until they suffice; each step adds at least one cluster, and a block counts 64 at least, so this
    /// ends after a few.
    init(others: UInt64, entriesPerBlock: UInt64, blocksPerTableCluster: UInt64) {
        var blocks: UInt64 = 0
        var tableClusters: UInt64 = 0
        while true {
            let total = others + blocks + tableClusters
            let neededBlocks = total.dividedRoundingUp(by: entriesPerBlock)
            let neededTable = neededBlocks.dividedRoundingUp(by: blocksPerTableCluster)
            if neededBlocks == blocks && neededTable == tableClusters { break }
            blocks = neededBlocks
            tableClusters = neededTable
        }
        self.blocks = blocks
        self.tableClusters = tableClusters
    }
}
