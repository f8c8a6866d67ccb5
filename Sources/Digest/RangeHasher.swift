// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO

/// Hashes the content of a range block by block. Feed it in guest order, in pieces of any length. Used by one thread at a time.
///
/// The range begins at a multiple of 64 KiB; only the last one of a disk may end elsewhere. Blocks are independent: a range may be cut
/// at block limits, each part be hashed by a thread of its own, and the results be joined with ``RangeDigest/append(_:)``.
package final class RangeHasher {
    private let hasher: BlockHasher
    private var runs: [RangeDigest.Run] = []
    /// The digests and the zero blocks since the last run that was closed; one of the two is empty.
    private var openDigests: [UInt8] = []
    private var openZeros: UInt64 = 0
    /// The block that is not whole yet. While it has only zeros, its bytes are not stored.
    private let pending = AlignedBuffer(count: UnitSize.block)
    private var pendingCount = 0
    private var pendingHasData = false

    /// Makes a hasher for one range after the other.
    package init(_ algorithm: DigestAlgorithm) { hasher = BlockHasher(algorithm) }

    /// How many pairs of blocks were hashed at once.
    package var pairCount: Int { hasher.pairCount }

    /// Adds the bytes of `range`. Blocks of zeros are noticed, and cost no hashing.
    package func append(_ buffer: AlignedBuffer, _ range: Range<Int>) {
        var position = range.lowerBound
        while position < range.upperBound {
            let left = range.upperBound - position
            if pendingCount == 0 && left >= UnitSize.block {
                position += addBlocks(buffer, position..<range.upperBound)
            } else {
                let count = min(left, UnitSize.block - pendingCount)
                appendToPending(buffer, position..<position + count)
                position += count
            }
        }
    }

    /// Adds `length` zero bytes; whole blocks of them are counted, not hashed.
    package func appendZeros(_ length: UInt64) {
        var left = length
        if pendingCount > 0 {
            let count = Int(min(left, UInt64(UnitSize.block - pendingCount)))
            if pendingHasData { pending.zero(pendingCount..<pendingCount + count) }
            advancePending(count)
            left -= UInt64(count)
        }
        addZeroBlocks(left / UInt64(UnitSize.block))
        pendingCount += Int(left % UInt64(UnitSize.block))
    }

    /// The digests of all that was added; the next range may follow. A last block that is short is hashed as it is,
    /// also where it is all zeros.
    package func finish() -> RangeDigest {
        if pendingCount > 0 {
            if !pendingHasData { pending.zero(0..<pendingCount) }
            closeZeros()
            hasher.hash(pending, 0..<pendingCount, into: &openDigests)
            pendingCount = 0
            pendingHasData = false
        }
        closeZeros()
        closeDigests()
        defer { runs = [] }
        return RangeDigest(runs: runs)
    }

    private func appendToPending(_ buffer: AlignedBuffer, _ range: Range<Int>) {
        if !pendingHasData {
            pending.zero(0..<pendingCount)
            pendingHasData = true
        }
        pending.copy(buffer, range, to: pendingCount)
        advancePending(range.count)
    }

    private func advancePending(_ count: Int) {
        pendingCount += count
        guard pendingCount == UnitSize.block else { return }
        if pendingHasData { addBlock(pending, 0..<pendingCount) } else { addZeroBlocks(1) }
        pendingCount = 0
        pendingHasData = false
    }

    /// Adds the first whole block of `range`, and the next one with it where both have data and a pair can be hashed at
    /// once. Returns their length.
    private func addBlocks(_ buffer: AlignedBuffer, _ range: Range<Int>) -> Int {
        let first = range.lowerBound..<range.lowerBound + UnitSize.block
        let second = first.upperBound..<first.upperBound + UnitSize.block
        guard hasher.hashesPairs, second.upperBound <= range.upperBound,
            !buffer.isZero(first), !buffer.isZero(second)
        else {
            addBlock(buffer, first)
            return first.count
        }
        closeZeros()
        hasher.hashPair(buffer, first.lowerBound..<second.upperBound, into: &openDigests)
        return first.count + second.count
    }

    private func addBlock(_ buffer: AlignedBuffer, _ range: Range<Int>) {
        if buffer.isZero(range) {
            addZeroBlocks(1)
        } else {
            closeZeros()
            hasher.hash(buffer, range, into: &openDigests)
        }
    }

    private func addZeroBlocks(_ count: UInt64) {
        guard count > 0 else { return }
        closeDigests()
        openZeros += count
    }

    private func closeZeros() {
        guard openZeros > 0 else { return }
        runs.append(.zeroBlocks(openZeros))
        openZeros = 0
    }

    private func closeDigests() {
        guard !openDigests.isEmpty else { return }
        runs.append(.digests(openDigests))
        openDigests = []
    }
}
