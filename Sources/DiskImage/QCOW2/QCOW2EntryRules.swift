// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

/// What L2 entries mean (specification, "L2 table entry"), for runs of them: the hot path of mapping, without allocation.
struct QCOW2EntryRules {
    let clusterSize: UInt64
    private let clusterBits: UInt64
    let isExtended: Bool
    private let hasZeroFlag: Bool
    private let hasDataFile: Bool
    /// The length of what holds the clusters, in bytes.
    private let clusterBytes: UInt64
    /// Bits that must be zero in a standard entry.
    private let reserved: UInt64

    init(header: QCOW2Header, clusterBytes: UInt64) {
        clusterSize = header.clusterSize
        clusterBits = UInt64(header.clusterBits)
        isExtended = header.hasExtendedL2
        hasZeroFlag = header.version >= 3 && !header.hasExtendedL2
        hasDataFile = header.hasDataFile
        self.clusterBytes = clusterBytes
        reserved = QCOW2.l2Reserved | (hasZeroFlag ? 0 : QCOW2.zero)
    }

    /// The run that starts `skipping` bytes into cluster `first` of a table and ends before cluster `end`.
    /// `guest` is the cluster's guest offset.
    func run(
        _ words: [UInt64],
        from first: Int,
        to end: Int,
        guest: UInt64,
        skipping: UInt64
    ) throws(QCOW2EntryError) -> QCOW2Run {
        let word = words[isExtended ? first * 2 : first]
        if word & QCOW2.compressed != 0 {
            return try compressedRun(word, isExtended ? words[first * 2 + 1] : 0, skipping)
        }
        try check(word, guest)
        var run =
            isExtended
            ? try extendedRun(word, words[first * 2 + 1], skipping)
            : standardRun(word, skipping)
        if run.kind == .data { try checkEnd(run, word) }
        // A run that ends inside its cluster (subclusters) ends there.
        if run.length == clusterSize - skipping {
            run.length += continuation(of: &run, words, from: first + 1, to: end)
        }
        if run.kind == .data { run.length = min(run.length, clusterBytes - run.host) }
        return run
    }

    /// How many bytes longer `run` is with the clusters from `first` on, before cluster `end`.
    func continuation(of run: inout QCOW2Run, _ words: [UInt64], from first: Int, to end: Int)
        -> UInt64
    {
        guard run.kind != .compressed else { return 0 }
        let last = min(end, first + clustersLeft(run))
        guard first < last else { return 0 }
        return isExtended
            ? extendedContinuation(of: &run, words, first, last)
            : standardContinuation(of: &run, words, first, last)
    }

    /// How many more clusters the run can have: data ends with its file, and every offset fits into its bits.
    private func clustersLeft(_ run: QCOW2Run) -> Int {
        guard run.step != 0 else { return Int.max >> 1 }
        let next = run.next & QCOW2.offsetMask
        let bound = run.kind == .data ? min(clusterBytes, 1 << 56) : 1 << 56
        guard next < bound, run.next & ~(QCOW2.offsetMask | QCOW2.zero) == 0 else { return 0 }
        return Int((bound - next).dividedRoundingUp(by: clusterSize))
    }

    // MARK: Standard entries

    private func standardRun(_ word: UInt64, _ skipping: UInt64) -> QCOW2Run {
        let isZero = word & QCOW2.zero != 0
        let hasHost = isAllocated(word)
        let kind: QCOW2Run.Kind = isZero ? .zero : hasHost ? .data : .unallocated
        var run = QCOW2Run(kind, length: clusterSize - skipping)
        describe(&run, word, hasHost, skipping)
        return run
    }

    private func standardContinuation(
        of run: inout QCOW2Run,
        _ words: [UInt64],
        _ first: Int,
        _ last: Int
    ) -> UInt64 {
        let mask = run.mask
        let step = run.step
        var next = run.next
        var index = first
        while index < last, words[index] & mask == next {
            next += step
            index += 1
        }
        run.next = next
        return UInt64(index - first) * clusterSize
    }

    // MARK: Extended entries

    private func extendedRun(_ word: UInt64, _ bitmap: UInt64, _ skipping: UInt64)
        throws(QCOW2EntryError) -> QCOW2Run
    {
        let hasHost = isAllocated(word)
        if let reason = bitmapError(bitmap, hasHost) {
            throw QCOW2EntryError(word: word, reason: reason + " (0x\(String(bitmap, radix: 16)))")
        }
        let subclusterSize = clusterSize / UInt64(QCOW2.subclusters)
        let first = skipping / subclusterSize
        let bit = UInt64(1) << first
        let kind: QCOW2Run.Kind =
            bitmap & bit != 0 ? .data : bitmap >> 32 & bit != 0 ? .zero : .unallocated
        let count = UInt64((~(subclusters(kind, bitmap) >> UInt32(first))).trailingZeroBitCount)
        let end = min(first + count, UInt64(QCOW2.subclusters)) * subclusterSize
        var run = QCOW2Run(kind, length: end - skipping)
        describe(&run, word, hasHost, skipping)
        return run
    }

    private func extendedContinuation(
        of run: inout QCOW2Run,
        _ words: [UInt64],
        _ first: Int,
        _ last: Int
    ) -> UInt64 {
        let subclusterSize = clusterSize / UInt64(QCOW2.subclusters)
        var length: UInt64 = 0
        for index in first..<last {
            let word = words[index * 2]
            let bitmap = words[index * 2 + 1]
            let goesOn =
                run.kind == .unallocated ? isSound(word) : word & ~QCOW2.copied == run.next
            guard goesOn, bitmapError(bitmap, isAllocated(word)) == nil else { break }
            let count = (~subclusters(run.kind, bitmap)).trailingZeroBitCount
            length += UInt64(count) * subclusterSize
            guard count == QCOW2.subclusters else { break }
            run.next += run.step
        }
        return length
    }

    /// The subclusters of `kind`, a bit each.
    private func subclusters(_ kind: QCOW2Run.Kind, _ bitmap: UInt64) -> UInt32 {
        let data = UInt32(truncatingIfNeeded: bitmap)
        let zero = UInt32(truncatingIfNeeded: bitmap >> 32)
        return switch kind {
        case .data: data
        case .zero: zero
        case .unallocated, .compressed: ~(data | zero)
        }
    }

    private func bitmapError(_ bitmap: UInt64, _ hasHost: Bool) -> String? {
        if bitmap & (bitmap >> 32) != 0 {
            return "a subcluster is marked both allocated and zero"
        }
        if !hasHost, bitmap & 0xFFFF_FFFF != 0 {
            return "a subcluster is marked allocated in a cluster that is not"
        }
        return nil
    }

    // MARK: Both

    /// Whether the entry, which is not compressed, has a host offset. Offset 0 is one only in a data file, where the copied flag says so,
    /// and not that of a cluster of zeros.
    func isAllocated(_ word: UInt64) -> Bool {
        if word & QCOW2.offsetMask != 0 { return true }
        let isZero = !isExtended && word & QCOW2.zero != 0
        return hasDataFile && word & QCOW2.copied != 0 && !isZero
    }

    /// Fills in where `run` lies and what continues it.
    private func describe(
        _ run: inout QCOW2Run,
        _ word: UInt64,
        _ hasHost: Bool,
        _ skipping: UInt64
    ) {
        run.next = word & ~QCOW2.copied
        guard hasHost, run.kind != .unallocated else {
            // In a data file, the copied flag alone makes an offset of 0 a place.
            run.mask = hasDataFile ? UInt64.max : ~QCOW2.copied
            return
        }
        run.hasHost = true
        run.host = word & QCOW2.offsetMask + skipping
        run.step = clusterSize
        run.next += clusterSize
    }

    /// Whether an entry that is not the first of a run breaks no rule of its own.
    private func isSound(_ word: UInt64) -> Bool {
        word & (reserved | QCOW2.compressed) == 0 && word & QCOW2.offsetMask % clusterSize == 0
    }

    private func check(_ word: UInt64, _ guest: UInt64) throws(QCOW2EntryError) {
        guard word & reserved == 0 else {
            throw QCOW2EntryError(word: word, reason: "reserved bits are set")
        }
        let offset = word & QCOW2.offsetMask
        guard offset % clusterSize == 0 else {
            throw QCOW2EntryError(
                word: word,
                reason: "the cluster is not at a multiple of the cluster size"
            )
        }
        guard !hasDataFile || !isAllocated(word) || offset == guest else {
            throw QCOW2EntryError(
                word: word,
                reason: "the offset in the data file is not the guest offset"
            )
        }
    }

    private func checkEnd(_ run: QCOW2Run, _ word: UInt64) throws(QCOW2EntryError) {
        guard run.host < clusterBytes else {
            throw QCOW2EntryError(
                word: word,
                reason:
                    "the data at \(run.host) lie beyond the end of their file (\(clusterBytes) bytes)"
            )
        }
    }

    // MARK: Compressed entries

    /// A compressed cluster is a run of its own. Its stream is stored in sectors of 512 bytes, of which the last may
    /// reach beyond the end of the file.
    private func compressedRun(_ word: UInt64, _ bitmap: UInt64, _ skipping: UInt64)
        throws(QCOW2EntryError) -> QCOW2Run
    {
        guard !hasDataFile else {
            throw QCOW2EntryError(word: word, reason: "a compressed cluster beside a data file")
        }
        guard bitmap == 0 else {
            throw QCOW2EntryError(word: word, reason: "a compressed cluster with subclusters")
        }
        let (host, stored) = Self.compressedStretch(word, UInt32(clusterBits))
        guard host < clusterBytes else {
            throw QCOW2EntryError(
                word: word,
                reason:
                    "the compressed data at \(host) lie beyond the end of the file (\(clusterBytes) bytes)"
            )
        }
        var run = QCOW2Run(.compressed, length: clusterSize - skipping)
        run.host = host
        run.hasHost = true
        run.compressedLength = Int(min(stored, clusterBytes - host))
        return run
    }

    /// Where a compressed cluster's stream starts, and how many bytes belong to it at most: its last sector to the end
    /// (specification, "Compressed Clusters Descriptor").
    static func compressedStretch(_ word: UInt64, _ clusterBits: UInt32) -> (UInt64, UInt64) {
        let shift = 62 - (UInt64(clusterBits) - 8)
        let host = word & ((1 << shift) - 1)
        let sectors = (word & ~(QCOW2.copied | QCOW2.compressed)) >> shift + 1
        return (host, sectors * QCOW2.compressedSector - host % QCOW2.compressedSector)
    }
}
