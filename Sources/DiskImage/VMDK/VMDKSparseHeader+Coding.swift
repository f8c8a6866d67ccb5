// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO

extension VMDKSparseHeader {
    /// Whether these first bytes of a storage (4 are enough) are those of a hosted sparse extent.
    package static func matches(_ bytes: [UInt8]) -> Bool {
        bytes.count >= 4
            && MetadataReader(bytes, file: nil).little(0, as: UInt32.self) == VMDK.sparseMagic
    }

    /// Parses and validates the header in `bytes`, the 512 bytes at `base` of `file`.
    ///
    /// Fails with `corrupt` where a field breaks the specification and with `unsupported` where it asks for what is not known; the
    /// message names the field, the error's offset is the field's. Nothing is compared with the file's length.
    package init(_ bytes: [UInt8], file: String, base: UInt64 = 0) throws(DrayError) {
        let reader = MetadataReader(bytes, file: file, base: base)
        guard bytes.count >= VMDK.sparseHeaderLength else {
            throw reader.corrupt("the file is too short for a sparse extent's header", 0)
        }
        guard Self.matches(bytes) else {
            throw reader.corrupt("the magic number is not that of a sparse extent", 0)
        }
        version = reader.little(4)
        guard VMDK.sparseVersions.contains(version) else {
            throw reader.unsupported("sparse extents of version \(version)", 4)
        }
        flags = VMDKSparseFlags(rawValue: reader.little(8))
        capacity = reader.little(12)
        grainSize = reader.little(20)
        descriptorOffset = reader.little(28)
        descriptorSize = reader.little(36)
        tableEntries = reader.little(44)
        redundantDirectory = reader.little(48)
        directory = reader.little(56)
        overhead = reader.little(64)
        isUnclean = bytes[72] != 0
        compression = reader.little(77)
        try checkFlags(reader)
        try checkSizes(reader)
    }

    private func checkFlags(_ reader: MetadataReader) throws(DrayError) {
        let unknown = flags.intersection(.unknown)
        guard unknown.isEmpty else {
            let bits = String(unknown.rawValue, radix: 16)
            throw reader.unsupported("flags 0x\(bits), which are not known", 8)
        }
        if flags.contains(.newlineDetection), Array(reader.bytes[73..<77]) != VMDK.newlines {
            let text = "the newline bytes are not as written: a transfer has changed them"
            throw reader.corrupt(text, 73)
        }
        guard compression <= VMDK.compressionDeflate else {
            throw reader.unsupported("compression \(compression)", 77)
        }
        guard isCompressed || !flags.contains(.compressed) else {
            throw reader.corrupt("grains are compressed, but compressAlgorithm is 0", 77)
        }
    }

    private func checkSizes(_ reader: MetadataReader) throws(DrayError) {
        guard capacity <= VMDK.mostSectors else {
            let text = "capacity is \(capacity) sectors, more than \(VMDK.mostSectors)"
            throw reader.unsupported(text, 12)
        }
        guard VMDK.grains.contains(grainSize), grainSize.nonzeroBitCount == 1 else {
            let text = "grainSize is \(grainSize) sectors, not a power of two from 8 to 131072"
            throw reader.corrupt(text, 20)
        }
        guard !isCompressed || grainSize <= VMDK.largestCompressedGrain else {
            let text = "compressed grains of \(grainSize) sectors, more than 16384"
            throw reader.unsupported(text, 20)
        }
        guard (1...VMDK.tableEntries).contains(tableEntries) else {
            let text = "numGTEsPerGT is \(tableEntries), not from 1 to \(VMDK.tableEntries)"
            throw reader.corrupt(text, 44)
        }
    }

    /// The header as stored: 512 bytes.
    package func serialized() -> [UInt8] {
        var out = [UInt8](repeating: 0, count: VMDK.sparseHeaderLength)
        out.storeLittleEndian(VMDK.sparseMagic, at: 0)
        out.storeLittleEndian(version, at: 4)
        out.storeLittleEndian(flags.rawValue, at: 8)
        out.storeLittleEndian(capacity, at: 12)
        out.storeLittleEndian(grainSize, at: 20)
        out.storeLittleEndian(descriptorOffset, at: 28)
        out.storeLittleEndian(descriptorSize, at: 36)
        out.storeLittleEndian(tableEntries, at: 44)
        out.storeLittleEndian(redundantDirectory, at: 48)
        out.storeLittleEndian(directory, at: 56)
        out.storeLittleEndian(overhead, at: 64)
        out[72] = isUnclean ? 1 : 0
        out.replaceSubrange(73..<77, with: VMDK.newlines)
        out.storeLittleEndian(compression, at: 77)
        return out
    }
}

extension [UInt8] {
    /// Overwrites the bytes at `offset` with `value`, least significant byte first.
    mutating func storeLittleEndian<I: FixedWidthInteger & UnsignedInteger>(
        _ value: I,
        at offset: Int
    ) {
        for index in 0..<I.bitWidth / 8 {
            self[offset + index] = UInt8(truncatingIfNeeded: value >> I(index * 8))
        }
    }
}
