// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO

extension QCOW2Header {
    /// Whether these first bytes of a storage (4 are enough) are those of a qcow2 image of any version.
    package static func matches(_ bytes: [UInt8]) -> Bool {
        bytes.count >= 4
            && MetadataReader(bytes, file: nil).load(0, as: UInt32.self) == QCOW2.magic
    }

    /// The cluster size in bytes that the first 24 bytes tell, so that the first cluster can be read.
    /// Fails with `corrupt` or `unsupported` where they are not those of a qcow2 image.
    package static func clusterSize(of bytes: [UInt8], file: String) throws(DrayError) -> Int {
        let reader = MetadataReader(bytes, file: file)
        try checkStart(reader)
        return 1 << Int(try clusterBits(reader))
    }

    /// Parses and validates the header in `bytes`: the image's first cluster, or as much of it as the file has.
    ///
    /// Fails with `corrupt` where a field breaks the specification and with `unsupported` where it asks for what
    /// is not known; the message names the field, the error's offset is the field's. Tables are not looked at.
    package init(_ bytes: [UInt8], file: String) throws(DrayError) {
        let reader = MetadataReader(bytes, file: file)
        try Self.checkStart(reader)
        let bits = try Self.clusterBits(reader)
        self.init(version: reader.load(4), clusterBits: bits, size: reader.load(24))
        cryptMethod = reader.load(32)
        l1Size = reader.load(36)
        l1TableOffset = reader.load(40)
        refcountTableOffset = reader.load(48)
        refcountTableClusters = reader.load(56)
        snapshotCount = reader.load(60)
        snapshotsOffset = reader.load(64)
        if version == 3 { try parseVersion3(reader) }
        backingName = try parseBackingName(reader)
        try parseExtensions(reader)
        try refuseUnknownFeatures(reader)
        if version == 3 { try parseCompression(reader) }
        try checkFields(reader)
    }

    private static func checkStart(_ reader: MetadataReader) throws(DrayError) {
        guard reader.bytes.count >= QCOW2.headerLengthV2 else {
            throw reader.corrupt("the file is too short for a qcow2 header", 0)
        }
        guard reader.load(0, as: UInt32.self) == QCOW2.magic else {
            throw reader.corrupt("the magic number is not qcow2's", 0)
        }
        let version = reader.load(4, as: UInt32.self)
        guard version == 2 || version == 3 else {
            throw reader.unsupported("qcow2 version \(version) is not known", 4)
        }
        guard version == 2 || reader.bytes.count >= QCOW2.headerLengthV3 else {
            throw reader.corrupt("the file is too short for a qcow2 header of version 3", 0)
        }
    }

    private static func clusterBits(_ reader: MetadataReader) throws(DrayError) -> UInt32 {
        let bits = reader.load(20, as: UInt32.self)
        guard QCOW2.clusterBits.contains(bits) else {
            throw reader.corrupt("cluster_bits is \(bits), not from 9 to 21", 20)
        }
        return bits
    }

    private mutating func parseVersion3(_ reader: MetadataReader) throws(DrayError) {
        incompatible = QCOW2Incompatible(rawValue: reader.load(72))
        compatible = QCOW2Compatible(rawValue: reader.load(80))
        autoclear = QCOW2Autoclear(rawValue: reader.load(88))
        refcountOrder = reader.load(96)
        headerLength = reader.load(100)
        guard headerLength >= QCOW2.headerLengthV3, headerLength % 8 == 0,
            headerLength <= clusterSize, headerLength <= reader.bytes.count
        else {
            throw reader.corrupt(
                "header_length is \(headerLength), not a multiple of 8 from 104 to the cluster size",
                100
            )
        }
    }

    /// The compression type exists where the header is long enough, and must agree with its feature bit.
    private mutating func parseCompression(_ reader: MetadataReader) throws(DrayError) {
        let value: UInt8 = headerLength > QCOW2.headerLengthV3 ? reader.bytes[104] : 0
        guard incompatible.contains(.compressionType) == (value != 0) else {
            throw reader.corrupt(
                "compression_type is \(value), which contradicts the compression type feature bit",
                104
            )
        }
        guard let type = QCOW2Compression(rawValue: value) else {
            throw reader.unsupported("compression type \(value) is not known", 104)
        }
        compression = type
    }

    private func parseBackingName(_ reader: MetadataReader) throws(DrayError) -> [UInt8]? {
        let offset: UInt64 = reader.load(8)
        guard offset != 0 else { return nil }
        let length: UInt32 = reader.load(16)
        guard offset >= headerLength, offset <= clusterSize else {
            throw reader.corrupt(
                "backing_file_offset is \(offset), not between the header and the end of the first cluster",
                8
            )
        }
        guard length <= QCOW2.longestName, UInt64(length) <= clusterSize - offset else {
            throw reader.corrupt(
                "backing_file_size is \(length), more than 1023 or beyond the first cluster",
                16
            )
        }
        guard offset + UInt64(length) <= reader.bytes.count else {
            throw reader.corrupt("the backing file name lies beyond the end of the file", 8)
        }
        return length == 0 ? nil : Array(reader.bytes[Int(offset)..<Int(offset) + Int(length)])
    }

    private mutating func parseExtensions(_ reader: MetadataReader) throws(DrayError) {
        let stored: UInt64 = reader.load(8)
        let area = stored == 0 ? clusterSize : stored
        let end = Int(min(area, UInt64(reader.bytes.count)))
        var position = Int(headerLength)
        while position + 8 <= end {
            let type: UInt32 = reader.load(position)
            let length = Int(reader.load(position + 4, as: UInt32.self))
            if type == QCOW2.extensionEnd { return }
            position += 8
            guard length <= end - position else {
                throw reader.corrupt(
                    "a header extension of \(length) bytes reaches beyond its area",
                    position - 4
                )
            }
            guard extensions.count < QCOW2.mostExtensions else {
                throw reader.unsupported(
                    "there are more than \(QCOW2.mostExtensions) header extensions",
                    position - 8
                )
            }
            let data = Array(reader.bytes[position..<position + length])
            extensions.append(Extension(type, data))
            position += (length + 7) / 8 * 8
        }
    }

    private func refuseUnknownFeatures(_ reader: MetadataReader) throws(DrayError) {
        let unknown = incompatible.subtracting(.known)
        guard !unknown.isEmpty else { return }
        let names = QCOW2FeatureName.decode(data(of: QCOW2.extensionFeatureNames) ?? [])
        let texts = (0..<64).filter { unknown.rawValue >> UInt64($0) & 1 == 1 }.map { bit in
            names.first { $0.type == 0 && $0.bit == UInt8(bit) && !$0.name.isEmpty }?.name
                ?? "incompatible feature bit \(bit)"
        }
        throw reader.unsupported(
            "the image needs features that are not known: \(texts.joined(separator: ", "))",
            72
        )
    }

    private func checkFields(_ reader: MetadataReader) throws(DrayError) {
        guard QCOW2.refcountOrders.contains(refcountOrder) else {
            throw reader.corrupt("refcount_order is \(refcountOrder), more than 6", 96)
        }
        guard cryptMethod <= 2 else {
            throw reader.unsupported("encryption method \(cryptMethod) is not known", 32)
        }
        guard size <= UnitSize.largestDisk else {
            throw reader.corrupt("size is \(size), more than a disk can have", 24)
        }
        if hasExtendedL2, clusterBits < QCOW2.leastExtendedClusterBits {
            throw reader.corrupt(
                "cluster_bits is \(clusterBits): too small for extended L2 entries",
                20
            )
        }
        if let name = data(of: QCOW2.extensionBackingFormat),
            name.count > QCOW2.longestFormatName
        {
            throw reader.corrupt(
                "the backing format name has \(name.count) bytes, more than 15",
                Int(headerLength)
            )
        }
        if let name = data(of: QCOW2.extensionDataFile), name.count > QCOW2.longestName {
            throw reader.corrupt(
                "the data file name has \(name.count) bytes, more than 1023",
                Int(headerLength)
            )
        }
    }
}
