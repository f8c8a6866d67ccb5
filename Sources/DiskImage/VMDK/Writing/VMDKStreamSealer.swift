// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Storage

/// Ends a stream-optimized extent whose grains and tables are in place: with the grain directory, the footer and the end of the
/// stream; then writes what it begins with.
struct VMDKStreamSealer {
    private let storage: any Storage
    private let layout: VMDKSparseLayout
    private let ranges: [RangePlacement]
    private let descriptor: [UInt8]
    private let header: VMDKSparseHeader
    private let buffer = AlignedBuffer(count: TableWriter.bufferSize)

    /// Prepares the end of what `ranges`, which were validated, have placed.
    init(
        _ storage: any Storage,
        _ layout: VMDKSparseLayout,
        _ ranges: [RangePlacement],
        hasZeroedGrains: Bool,
        descriptor: [UInt8]
    ) {
        self.storage = storage
        self.layout = layout
        self.ranges = ranges
        self.descriptor = descriptor
        var header = VMDKSparseHeader(capacity: layout.capacity / VMDK.sector)
        header.version = 3
        header.flags.formUnion([.compressed, .markers])
        if hasZeroedGrains { header.flags.insert(.zeroedGrains) }
        header.compression = VMDK.compressionDeflate
        header.descriptorOffset = 1
        header.descriptorSize = VMDKSparseLayout.descriptorSectors
        header.overhead = layout.streamStart.bytes / VMDK.sector
        self.header = header
    }

    /// Writes all of it, the header last.
    func seal() throws(DrayError) {
        let directory = try writeDirectory()
        let end = directory + layout.directoryLength
        var footer = header
        footer.directory = directory.bytes / VMDK.sector
        let tail =
            VMDKStreamTables.marker(VMDK.markerFooter, sectors: 1) + footer.serialized()
            + VMDKStreamTables.marker(VMDK.markerEndOfStream, sectors: 0)
        try write(tail, at: end)
        try storage.resize(end.bytes + UInt64(tail.count))
        try storage.flush()
        var start = header
        start.directory = VMDK.directoryAtEnd
        var head = start.serialized() + descriptor
        head += [UInt8](repeating: 0, count: Int(layout.streamStart.bytes) - head.count)
        try write(head, at: HostOffset(0))
        try storage.flush()
    }

    /// Writes the directory's marker behind the last table, then the directory. Returns where that is.
    private func writeDirectory() throws(DrayError) -> HostOffset {
        let sectors = layout.directoryLength / VMDK.sector
        let last = ranges.lazy.reversed().compactMap(VMDKStreamTables.tableMarker).first
        let place = last.map { $0 + UInt64(VMDKStreamTables.trailerLength) } ?? layout.streamStart
        try write(VMDKStreamTables.marker(VMDK.markerDirectory, sectors: sectors), at: place)
        let directory = place + UInt64(VMDKStreamTables.markerLength)
        var writer = TableWriter(storage, at: directory, buffer)
        for range in ranges {
            guard let marker = VMDKStreamTables.tableMarker(range) else { continue }
            let index = range.range.start.bytes / VMDKSparseLayout.tableCoverage
            try writer.fill(to: directory + index * VMDK.entrySize)
            let table = marker + UInt64(VMDKStreamTables.markerLength)
            try writer.append(littleEndian: UInt32(table.bytes / VMDK.sector))
        }
        try writer.fill(to: directory + layout.directoryLength)
        try writer.flush()
        return directory
    }

    private func write(_ bytes: [UInt8], at place: HostOffset) throws(DrayError) {
        let buffer = AlignedBuffer(count: bytes.count)
        buffer.copy(bytes, to: 0)
        try storage.write(place, from: buffer, 0..<bytes.count)
    }
}
