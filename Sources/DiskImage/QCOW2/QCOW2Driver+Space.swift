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
        let first = Int(inSlice / header.clusterSize)
        let host = space(words, first)
        var length = header.clusterSize - inCluster
        // As far as it goes on: a long run would be mapped anew for each of its clusters.
        for cluster in first + 1..<max(first + 1, words.count / 2) where length < limit {
            let expected = host.map { $0 + UInt64(cluster - first) * header.clusterSize }
            guard space(words, cluster) == expected else { break }
            length += header.clusterSize
        }
        return (host.map { HostOffset($0 + inCluster) }, min(limit, length))
    }

    /// Where the space of a cluster is that is not compressed, by the words of its slice.
    private func space(_ words: [UInt64], _ cluster: Int) -> UInt64? {
        let word = words[cluster * 2]
        let hasSpace = word & QCOW2.compressed == 0 && entryRules.isAllocated(word)
        return hasSpace ? word & QCOW2.offsetMask : nil
    }
}
