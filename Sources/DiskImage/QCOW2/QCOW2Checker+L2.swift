// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Storage

extension QCOW2Checker {
    /// How often an L2 table is referenced, and where its entries went on.
    private struct Walk {
        let active: UInt64
        let all: UInt64
        /// Whether the copied flags are looked at.
        let checksCopied: Bool
        /// Where the next cluster would be without a fragment in between; 0 before the first.
        var contiguous: UInt64 = 0
    }

    /// Walks the L2 table at `offset`, which `all` L1 entries refer to, `active` of them of the active L1 table.
    mutating func checkL2(_ offset: UInt64, active: UInt64, all: UInt64) throws(DrayError) {
        // A table that lies beyond the end has been reported and has no entries to look at.
        guard offset < metadata.length else { return }
        let words = try metadata.paddedWords(at: offset, count: Int(clusterSize / 8))
        let step = header.hasExtendedL2 ? 2 : 1
        // As with qemu, flags say nothing where the table's own refcount cannot be read.
        let isKnown = try stored.refcount(offset / clusterSize) != nil
        let checksCopied = active > 0 && offset != 0 && isKnown
        var walk = Walk(active: active, all: all, checksCopied: checksCopied)
        var index = 0
        while index < words.count {
            let word = words[index]
            let bitmap = step == 2 ? words[index + 1] : 0
            if word | bitmap != 0 { try checkEntry(word, bitmap, &walk) }
            index += step
        }
    }

    private mutating func checkEntry(_ word: UInt64, _ bitmap: UInt64, _ walk: inout Walk)
        throws(DrayError)
    {
        if word & QCOW2.compressed != 0 { return checkCompressed(word, bitmap, walk) }
        if word & QCOW2.l2Reserved != 0 {
            corruption(walk.all, "L2 entry with reserved bits set: \(hex(word))")
        }
        let isZero = !header.hasExtendedL2 && word & QCOW2.zero != 0
        let offset = word & QCOW2.offsetMask
        if offset != 0 || (!isZero && header.hasDataFile && word & QCOW2.copied != 0) {
            try checkAllocated(word, bitmap, &walk)
        } else if !isZero, bitmap & 0xFFFF_FFFF != 0 {
            corruption(walk.all, "subclusters are allocated in an unallocated cluster")
        }
    }

    private mutating func checkCompressed(_ word: UInt64, _ bitmap: UInt64, _ walk: Walk) {
        if word & QCOW2.copied != 0 {
            corruption(walk.all, "copied flag of a compressed cluster: \(hex(word))")
        }
        guard !header.hasDataFile else {
            return corruption(walk.all, "compressed cluster beside a data file: \(hex(word))")
        }
        guard bitmap == 0 else {
            return corruption(walk.all, "compressed cluster with subclusters: \(hex(word))")
        }
        let (host, size) = QCOW2EntryRules.compressedStretch(word, header.clusterBits)
        reference(host, size, times: walk.all)
        report.allocatedClusters += walk.active
        report.compressedClusters += walk.active
        report.fragmentedClusters += walk.active
    }

    private mutating func checkAllocated(_ word: UInt64, _ bitmap: UInt64, _ walk: inout Walk)
        throws(DrayError)
    {
        let offset = word & QCOW2.offsetMask
        if bitmap & (bitmap >> 32) != 0 {
            corruption(walk.all, "cluster at \(hex(offset)): subclusters both allocated and zero")
        }
        if offset % clusterSize != 0 {
            corruption(walk.all, "cluster at \(hex(offset)) is not at a multiple of their size")
        }
        report.allocatedClusters += walk.active
        if walk.contiguous != 0, offset != walk.contiguous {
            report.fragmentedClusters += walk.active
        }
        walk.contiguous = offset + clusterSize
        if !header.hasDataFile { reference(offset, clusterSize, times: walk.all) }
        guard walk.checksCopied else { return }
        if !header.hasDataFile {
            try checkCopied(word, "L2 entry", times: walk.active)
        } else if word & QCOW2.copied == 0 {
            corruption(walk.active, "OFLAG_COPIED: L2 entry \(hex(word)) of a data file")
        }
    }
}
