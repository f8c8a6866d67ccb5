// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
internal import Storage

extension QCOW2Driver {
    /// Whether at least `threshold` clusters of the file have a refcount that is not zero. Stops reading
    /// refcount blocks when that is known.
    package func countsAtLeast(_ threshold: UInt64) throws(DrayError) -> Bool {
        let clusterCount = storage.length.dividedRoundingUp(by: header.clusterSize)
        let perBlock = (header.clusterSize * 8) >> UInt64(header.refcountOrder)
        let blockCount = min(
            clusterCount.dividedRoundingUp(by: perBlock),
            UInt64(header.refcountTableClusters) * header.clusterSize / 8
        )
        let table = try metadata.words(
            "the refcount table",
            at: header.refcountTableOffset,
            count: Int(blockCount)
        )
        var used: UInt64 = 0
        for (index, entry) in table.enumerated() where used < threshold && entry != 0 {
            let offset = entry & ~QCOW2.refcountTableReserved
            let block = try metadata.bytes(
                "refcount block \(index)",
                at: offset,
                count: Int(header.clusterSize)
            )
            let left = clusterCount - UInt64(index) * perBlock
            used += Self.nonZero(block, order: header.refcountOrder, limit: min(left, perBlock))
        }
        return used >= threshold
    }

    /// How many of the first `limit` refcounts in `block` are not zero.
    private static func nonZero(_ block: [UInt8], order: UInt32, limit: UInt64) -> UInt64 {
        guard order < 3 else {
            let width = 1 << (Int(order) - 3)
            return UInt64(
                (0..<Int(limit)).count { index in
                    block[index * width..<(index + 1) * width].contains { $0 != 0 }
                }
            )
        }
        let bits = 1 << Int(order)
        let mask = UInt8((1 << bits) - 1)
        return UInt64(
            (0..<Int(limit)).count { index in
                block[index * bits / 8] >> UInt8(index * bits % 8) & mask != 0
            }
        )
    }
}
