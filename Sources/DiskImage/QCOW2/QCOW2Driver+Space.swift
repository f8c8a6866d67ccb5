// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO

extension QCOW2Driver {
    /// The size in bytes of the slices in which L2 tables are read and kept, as qemu does: a table of 2 MiB would be much for the few
    /// entries that are asked for.
    var sliceSize: UInt64 { min(header.clusterSize, 65536) }

    /// The guest bytes, a power of two, that one slice of an L2 table covers. Qemu answers for no more at a time.
    package var sliceCoverage: UInt64 {
        sliceSize / header.l2EntrySize * header.clusterSize
    }

    /// Whether the run at `offset`, which is not allocated, has space in the image all the same: subclusters of a cluster of which others
    /// are allocated do. Answers where, and for how many bytes (at most `limit`) that holds.
    package func space(
        ofUnallocated offset: GuestOffset,
        limit: UInt64
    ) throws(DrayError) -> (host: HostOffset?, length: UInt64) {
        let start = offset.bytes
        let inSlice = start % sliceCoverage
        guard header.hasExtendedL2, let words = try slice(start / sliceCoverage, guest: start)
        else { return (nil, min(limit, sliceCoverage - inSlice)) }
        let inCluster = start % header.clusterSize
        let length = min(limit, header.clusterSize - inCluster)
        let word = words[Int(inSlice / header.clusterSize) * 2]
        guard word & QCOW2.compressed == 0, entryRules.isAllocated(word) else {
            return (nil, length)
        }
        return (HostOffset(word & QCOW2.offsetMask + inCluster), length)
    }
}
