// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO

extension QCOW2Header {
    /// The header as stored: fields, extensions, end marker, backing file name. What follows in the first cluster is zeros.
    ///
    /// Fails with `invalid` where that does not fit into the first cluster, or a name is longer than the format allows.
    package func serialized() throws(DrayError) -> [UInt8] {
        var out = fixedFields()
        for item in extensions {
            out.appendBigEndian(item.type)
            out.appendBigEndian(UInt32(item.data.count))
            out += item.data
            out += [UInt8](repeating: 0, count: (8 - item.data.count % 8) % 8)
        }
        out += [UInt8](repeating: 0, count: 8)
        if let backingName {
            guard backingName.count <= QCOW2.longestName else {
                throw DrayError(.invalid, "the backing file name is longer than 1023 bytes")
            }
            out.storeBigEndian(UInt64(out.count), at: 8)
            out.storeBigEndian(UInt32(backingName.count), at: 16)
            out += backingName
        }
        guard out.count <= clusterSize else {
            throw DrayError(
                .invalid,
                "header, extensions and backing file name do not fit into a cluster of \(clusterSize) bytes"
            )
        }
        return out
    }

    private func fixedFields() -> [UInt8] {
        var out: [UInt8] = []
        out.appendBigEndian(QCOW2.magic)
        out.appendBigEndian(version)
        out.appendBigEndian(UInt64(0))
        out.appendBigEndian(UInt32(0))
        out.appendBigEndian(clusterBits)
        out.appendBigEndian(size)
        out.appendBigEndian(cryptMethod)
        out.appendBigEndian(l1Size)
        out.appendBigEndian(l1TableOffset)
        out.appendBigEndian(refcountTableOffset)
        out.appendBigEndian(refcountTableClusters)
        out.appendBigEndian(snapshotCount)
        out.appendBigEndian(snapshotsOffset)
        guard version == 3 else { return out }
        out.appendBigEndian(incompatible.rawValue)
        out.appendBigEndian(compatible.rawValue)
        out.appendBigEndian(autoclear.rawValue)
        out.appendBigEndian(refcountOrder)
        out.appendBigEndian(headerLength)
        if headerLength > QCOW2.headerLengthV3 { out.append(compression.rawValue) }
        let missing = Int(headerLength) - out.count
        precondition(missing >= 0, "the header length covers the fields")
        return out + [UInt8](repeating: 0, count: missing)
    }
}

extension [UInt8] {
    /// Appends `value`, most significant byte first.
    mutating func appendBigEndian<I: FixedWidthInteger & UnsignedInteger>(_ value: I) {
        for shift in stride(from: I.bitWidth - 8, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: value >> I(shift)))
        }
    }

    /// Overwrites the bytes at `offset` with `value`, most significant byte first.
    mutating func storeBigEndian<I: FixedWidthInteger & UnsignedInteger>(_ value: I, at offset: Int)
    {
        for index in 0..<I.bitWidth / 8 {
            let shift = I.bitWidth - 8 - index * 8
            self[offset + index] = UInt8(truncatingIfNeeded: value >> I(shift))
        }
    }
}
