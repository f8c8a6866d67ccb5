// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Storage

/// Writes the tables of an image whose payload is in place, then its header. Takes the same memory for every image.
struct QCOW2Sealer {
    private let storage: any Storage
    private let map: ClusterMap
    private let layout: QCOW2Layout
    private let l1Entries: UInt64
    private let header: QCOW2Header
    private let buffer = AlignedBuffer(count: max(TableWriter.bufferSize, 2 << 20))

    /// Prepares the tables of `map` behind its payload. `header` has no tables yet.
    init(
        _ storage: any Storage,
        _ header: QCOW2Header,
        _ map: ClusterMap,
        l1Entries: UInt64
    ) throws(DrayError) {
        self.storage = storage
        self.map = map
        self.l1Entries = l1Entries
        layout = try QCOW2Layout(
            header,
            payloadEnd: map.payloadEnd,
            l1Entries: l1Entries,
            l2Tables: map.tables.reduce(0) { $0 + UInt64($1.count) }
        )
        var complete = header
        complete.l1Size = UInt32(l1Entries)
        complete.l1TableOffset = l1Entries == 0 ? 0 : layout.l1Table.bytes
        complete.refcountTableOffset = layout.refcountTable.bytes
        complete.refcountTableClusters = UInt32(layout.refcountTableClusters)
        self.header = complete
    }

    /// Writes all of it, the header last, each part durable before what refers to it.
    func seal() throws(DrayError) {
        try writeL2Tables()
        try writeRefcountBlocks()
        try writeRefcountTable()
        try writeL1Table()
        if storage.length != layout.length { try storage.resize(layout.length) }
        try storage.flush()
        try writeHeader()
        try storage.flush()
    }

    private func writeL2Tables() throws(DrayError) {
        var writer = TableWriter(storage, at: layout.l2Start, buffer)
        let entries = header.l2Entries
        /// The table that is being written, and how many came before it.
        var table: UInt64?
        var done: UInt64 = 0
        try map.forEachRun { (run: ClusterRun) throws(DrayError) in
            var cluster = run.first
            while cluster < run.end {
                let index = cluster / entries
                if let table, index != table { done += 1 }
                table = index
                let start = layout.l2Start + done * header.clusterSize
                try writer.fill(to: start + (cluster - index * entries) * header.l2EntrySize)
                let end = min(run.end, (index + 1) * entries)
                try append(run, cluster..<end, &writer)
                cluster = end
            }
        }
        try writer.fill(to: layout.refcountBlocks)
        try writer.flush()
    }

    private func append(_ run: ClusterRun, _ clusters: Range<UInt64>, _ writer: inout TableWriter)
        throws(DrayError)
    {
        guard run.streamLength == 0 else { return try appendStream(run, &writer) }
        let bitmap = UInt64(run.zero) << 32 | UInt64(run.data)
        let isZero = !header.hasExtendedL2 && run.zero != 0
        var entry = isZero ? QCOW2.zero : 0
        if let host = run.host {
            let skipped = (clusters.lowerBound - run.first) * header.clusterSize
            entry |= (host.bytes + skipped) | QCOW2.copied
        }
        let step = run.host == nil ? 0 : header.clusterSize
        for _ in clusters {
            try writer.append(entry)
            if header.hasExtendedL2 { try writer.append(bitmap) }
            entry += step
        }
    }

    /// A compressed cluster's entry: it has no copied flag and no subclusters.
    private func appendStream(_ run: ClusterRun, _ writer: inout TableWriter) throws(DrayError) {
        let entry = QCOW2.compressedEntry(
            host: run.host?.bytes ?? 0,
            length: run.streamLength,
            clusterSize: header.clusterSize
        )
        try writer.append(entry)
        if header.hasExtendedL2 { try writer.append(0) }
    }

    /// Writes the blocks as what they are: one array of entries, in pieces of the buffer's size.
    private func writeRefcountBlocks() throws(DrayError) {
        let used = [0..<1] + map.payload + [layout.tableClusters]
        let pattern = RefcountPattern(bits: header.refcountBits)
        let total = layout.refcountBlockCount * header.clusterSize
        let entriesPerPiece = UInt64(buffer.count) * 8 / UInt64(header.refcountBits)
        var done: UInt64 = 0
        var next = 0
        while done < total {
            let count = Int(min(total - done, UInt64(buffer.count)))
            let first = done * 8 / UInt64(header.refcountBits)
            let piece = first..<first + entriesPerPiece
            buffer.zero(0..<count)
            while next < used.count, used[next].upperBound <= first { next += 1 }
            for range in used[next...] {
                guard range.lowerBound < piece.upperBound else { break }
                let part = range.clamped(to: piece)
                let ones = Int(part.lowerBound - first)..<Int(part.upperBound - first)
                pattern.setOnes(ones, in: buffer)
            }
            map.forEachShare(of: piece) { share in
                for cluster in share { pattern.add(one: Int(cluster - first), in: buffer) }
            }
            try storage.write(layout.refcountBlocks + done, from: buffer, 0..<count)
            done += UInt64(count)
        }
    }

    private func writeRefcountTable() throws(DrayError) {
        var writer = TableWriter(storage, at: layout.refcountTable, buffer)
        for index in 0..<layout.refcountBlockCount {
            try writer.append((layout.refcountBlocks + index * header.clusterSize).bytes)
        }
        try writer.fill(to: layout.l1Table)
        try writer.flush()
    }

    private func writeL1Table() throws(DrayError) {
        var writer = TableWriter(storage, at: layout.l1Table, buffer)
        var place = layout.l2Start
        for tables in map.tables {
            try writer.fill(to: layout.l1Table + tables.lowerBound * 8)
            for _ in tables {
                try writer.append(place.bytes | QCOW2.copied)
                place = place + header.clusterSize
            }
        }
        try writer.fill(to: layout.l1Table + l1Entries * 8)
        try writer.flush()
    }

    /// Writes the header and the zeros up to the end of its page; the rest of the first cluster holds zeros since the
    /// target was prepared.
    private func writeHeader() throws(DrayError) {
        let bytes = try header.serialized()
        let page = max(bytes.count, Int(min(header.clusterSize, 4096)))
        buffer.zero(0..<page)
        buffer.copy(bytes, to: 0)
        try storage.write(HostOffset(0), from: buffer, 0..<page)
    }
}
