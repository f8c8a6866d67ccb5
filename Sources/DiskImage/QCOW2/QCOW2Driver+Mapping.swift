// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
internal import Storage

extension QCOW2Driver {
    package func map(_ offset: GuestOffset, limit: UInt64) throws(DrayError) -> LayerExtent {
        precondition(offset.bytes < guestSize && limit > 0, "the run starts inside the disk")
        try refuseEncryption()
        let start = offset.bytes
        let end = start + min(limit, guestSize - start)
        var run = try firstRun(start, end)
        while start + run.length < end {
            // A run goes on only where the one before reached its slice's end, and an error belongs to the bytes that
            // it concerns: it will be met when they are asked for.
            guard (start + run.length) % sliceCoverage == 0,
                let more = try? continuation(of: &run, start + run.length, end), more > 0
            else { break }
            run.length += more
        }
        run.length = min(run.length, end - start)
        return try extent(run, start)
    }

    /// Fails where the content is encrypted.
    func refuseEncryption() throws(DrayError) {
        guard header.cryptMethod != 0 else { return }
        throw DrayError(
            .unsupported,
            "the image is encrypted (\(header.cryptMethod == 1 ? "AES" : "LUKS")); Dray has no keys",
            file: storage.name,
            offset: 32
        )
    }

    /// The run at `start`, to the end of its slice at most; over absent tables at once.
    private func firstRun(_ start: UInt64, _ end: UInt64) throws(DrayError) -> QCOW2Run {
        let number = start / sliceCoverage
        guard let words = try slice(number, guest: start) else {
            return QCOW2Run(unallocated: try absentLength(from: start, end))
        }
        let rules = entryRules
        let inSlice = start % sliceCoverage
        let cluster = Int(inSlice >> UInt64(header.clusterBits))
        let inCluster = start % header.clusterSize
        let last = lastCluster(number, end)
        do {
            return try rules.run(
                words,
                from: cluster,
                to: last,
                guest: start - inCluster,
                skipping: inCluster
            )
        } catch {
            let entry = UInt64(cluster) * header.l2EntrySize
            throw DrayError(
                .corrupt,
                "the L2 entry for guest offset \(start) is 0x\(String(error.word, radix: 16)): \(error.reason)",
                file: storage.name,
                offset: try sliceOffset(number) + entry
            )
        }
    }

    /// How much longer `run` is at `position`, the start of a slice.
    private func continuation(of run: inout QCOW2Run, _ position: UInt64, _ end: UInt64)
        throws(DrayError) -> UInt64
    {
        let number = position / sliceCoverage
        guard let words = try slice(number, guest: position) else {
            return run.kind == .unallocated ? try absentLength(from: position, end) : 0
        }
        return entryRules.continuation(of: &run, words, from: 0, to: lastCluster(number, end))
    }

    /// The first cluster behind `end` or behind slice `number`, counted from the slice's start.
    private func lastCluster(_ number: UInt64, _ end: UInt64) -> Int {
        let covered = min(end - number * sliceCoverage, sliceCoverage)
        return Int(covered.dividedRoundingUp(by: header.clusterSize))
    }

    /// What this image's L2 entries mean.
    var entryRules: QCOW2EntryRules {
        QCOW2EntryRules(header: header, clusterBytes: clusters.length)
    }

    /// The length from `start`, whose L2 table is absent, of what it and the absent ones behind it cover.
    private func absentLength(from start: UInt64, _ end: UInt64) throws(DrayError) -> UInt64 {
        let behind = Int(end.dividedRoundingUp(by: header.l2Coverage))
        let first = Int(start / header.l2Coverage) + 1
        let next = try l1.nextPresent(from: first, before: max(first, min(behind, l1.count)))
        // The last table may cover more than the disk, up to more than fits into 64 bits.
        guard let covered = UInt64(next).multiplied(by: header.l2Coverage) else {
            return end - start
        }
        return min(covered, end) - start
    }

    /// Where slice `number`, whose L2 table is there, lies in the file.
    private func sliceOffset(_ number: UInt64) throws(DrayError) -> UInt64 {
        let slices = header.l2Coverage / sliceCoverage
        return try l1.entry(Int(number / slices)) & QCOW2.offsetMask + number % slices * sliceSize
    }

    /// Slice `number` of the L2 tables, decoded; nil where its table is absent.
    func slice(_ number: UInt64, guest: UInt64) throws(DrayError) -> [UInt64]? {
        let index = Int(number / (header.l2Coverage / sliceCoverage))
        let entry = try l1.entry(index)
        if entry & ~QCOW2.copied == 0 { return nil }
        guard !hasSharedTables else {
            throw DrayError(
                .corrupt,
                "the L1 table names more L2 tables than the file has clusters",
                file: storage.name,
                offset: header.l1TableOffset
            )
        }
        let offset = entry & QCOW2.offsetMask
        guard entry & QCOW2.l1Reserved == 0, offset != 0, offset % header.clusterSize == 0 else {
            throw DrayError(
                .corrupt,
                "L1 entry \(index) for guest offset \(guest) is 0x\(String(entry, radix: 16)): reserved bits are set or the L2 table is not at a multiple of the cluster size",
                file: storage.name,
                offset: offset
            )
        }
        let place = try sliceOffset(number)
        if let words = tables.find(place) { return words }
        try metadata.check(
            "the L2 table for guest offset \(guest)",
            at: offset,
            size: header.clusterSize
        )
        // Slices are read into the same few buffers: fresh memory would cost as much as reading.
        let words = try tableBuffers.withBuffer { (buffer) throws(DrayError) in
            try storage.read(HostOffset(place), into: buffer, 0..<buffer.count)
            return buffer.bigEndianWords(0..<buffer.count)
        }
        tables.insert(words, at: place)
        return words
    }

    private func extent(_ run: QCOW2Run, _ start: UInt64) throws(DrayError) -> LayerExtent {
        let place: Place =
            switch run.kind {
            case .data: .data(clusters.storage, HostOffset(run.host))
            case .zero: .zero(clusters.storage, run.hasHost ? HostOffset(run.host) : nil)
            case .unallocated: .unallocated
            case .compressed: .compressed(compressedCluster(run, start))
            }
        return LayerExtent(length: run.length, place: place)
    }

    private func compressedCluster(_ run: QCOW2Run, _ start: UInt64) -> CompressedCluster {
        CompressedCluster(
            guestStart: GuestOffset(start - start % header.clusterSize),
            guestLength: Int(header.clusterSize),
            host: HostOffset(run.host),
            hostLength: run.compressedLength
        )
    }
}
