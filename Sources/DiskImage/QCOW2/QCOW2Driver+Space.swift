// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO

extension QCOW2Driver {
    /// The guest bytes, a power of two, that qemu answers for at most at a time: those of one slice of an L2 table, which is as long as a
    /// cluster, or 64 KiB.
    package var sliceCoverage: UInt64 {
        min(header.clusterSize, 65536) / header.l2EntrySize * header.clusterSize
    }

    /// Whether the run at `offset`, which is not allocated, has space in the image all the same: subclusters of a cluster of which others
    /// are allocated do. Answers where, and for how many bytes (at most `limit`) that holds.
    package func space(
        ofUnallocated offset: GuestOffset,
        limit: UInt64
    ) throws(DrayError) -> (host: HostOffset?, length: UInt64) {
        let start = offset.bytes
        let index = Int(start / header.l2Coverage)
        let inTable = start % header.l2Coverage
        guard header.hasExtendedL2, let words = try table(index, guest: start) else {
            return (nil, min(limit, header.l2Coverage - inTable))
        }
        let inCluster = start % header.clusterSize
        let length = min(limit, header.clusterSize - inCluster)
        let word = words[Int(inTable / header.clusterSize) * 2]
        guard word & QCOW2.compressed == 0, entryRules.isAllocated(word) else {
            return (nil, length)
        }
        return (HostOffset(word & QCOW2.offsetMask + inCluster), length)
    }
}
