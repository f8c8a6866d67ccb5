// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO

extension QCOW2Driver {
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
        let host = word & QCOW2.offsetMask
        guard word & QCOW2.compressed == 0, host != 0 else { return (nil, length) }
        return (HostOffset(host + inCluster), length)
    }
}
