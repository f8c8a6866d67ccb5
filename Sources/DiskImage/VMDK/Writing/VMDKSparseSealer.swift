// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Storage

/// Writes the tables of a hosted sparse extent whose grains are in place, then its descriptor and its header. Takes the same memory
/// for every image.
struct VMDKSparseSealer {
    private let storage: any Storage
    private let layout: VMDKSparseLayout
    private let map: ClusterMap
    private let header: VMDKSparseHeader
    private let descriptor: [UInt8]
    private let buffer = AlignedBuffer(count: TableWriter.bufferSize)

    /// Prepares the tables of `map`. `descriptor` is the embedded one, empty where the extent has none.
    init(
        _ storage: any Storage,
        _ layout: VMDKSparseLayout,
        _ map: ClusterMap,
        hasZeroedGrains: Bool,
        descriptor: [UInt8]
    ) {
        self.storage = storage
        self.layout = layout
        self.map = map
        self.descriptor = descriptor
        var header = VMDKSparseHeader(capacity: layout.capacity / VMDK.sector)
        header.flags.insert(.redundantDirectory)
        if hasZeroedGrains {
            header.version = 2
            header.flags.insert(.zeroedGrains)
        }
        if layout.hasDescriptor {
            header.descriptorOffset = 1
            header.descriptorSize = VMDKSparseLayout.descriptorSectors
        }
        header.redundantDirectory = layout.redundantDirectory.bytes / VMDK.sector
        header.directory = layout.directory.bytes / VMDK.sector
        header.overhead = layout.firstGrain.bytes / VMDK.sector
        self.header = header
    }

    /// Writes all of it, the header last, each part durable before what refers to it.
    func seal() throws(DrayError) {
        // Zeros at the end of the last grain may not have been written.
        let end = max(map.payloadEnd, layout.firstGrain)
        if storage.length != end.bytes { try storage.resize(end.bytes) }
        for directory in [layout.redundantDirectory, layout.directory] {
            try writeDirectory(at: directory)
            try writeTables(from: layout.tables(of: directory))
        }
        try storage.flush()
        try writeHeader()
        try storage.flush()
    }

    private func writeDirectory(at start: HostOffset) throws(DrayError) {
        var writer = TableWriter(storage, at: start, buffer)
        let first = layout.tables(of: start)
        for index in 0..<layout.tableCount {
            let table = first + index * VMDKSparseLayout.tableLength
            try writer.append(littleEndian: UInt32(table.bytes / VMDK.sector))
        }
        try writer.fill(to: first)
        try writer.flush()
    }

    /// Writes the tables that have entries; the others hold zeros since the target was prepared.
    private func writeTables(from start: HostOffset) throws(DrayError) {
        var writer = TableWriter(storage, at: start, buffer)
        try map.forEachRun { (run: ClusterRun) throws(DrayError) in
            let place = start + run.first * VMDK.entrySize
            if place.bytes - writer.position.bytes > UInt64(TableWriter.bufferSize) {
                try writer.flush()
                writer = TableWriter(storage, at: place, buffer)
            }
            try writer.fill(to: place)
            for index in 0..<run.count {
                let sector = run.host.map { $0.bytes / VMDK.sector + index * VMDK.usualGrain }
                try writer.append(littleEndian: sector.map { UInt32($0) } ?? VMDK.entryZeroed)
            }
        }
        try writer.flush()
    }

    /// Writes header and descriptor and the zeros up to the end of the descriptor's place.
    private func writeHeader() throws(DrayError) {
        let end = Int(layout.redundantDirectory.bytes)
        buffer.zero(0..<end)
        buffer.copy(header.serialized(), to: 0)
        if !descriptor.isEmpty { buffer.copy(descriptor, to: Int(VMDK.sector)) }
        try storage.write(HostOffset(0), from: buffer, 0..<end)
    }
}
