// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// Incompatible features (header bytes 72-79): who does not know a bit that is set must not open the image.
package struct QCOW2Incompatible: OptionSet, Sendable, Hashable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Refcounts may be wrong: the image was not closed (lazy refcounts).
    package static let dirty = Self(rawValue: 1 << 0)
    /// Metadata are known to be inconsistent; reading is allowed.
    package static let corrupt = Self(rawValue: 1 << 1)
    /// Guest data lie in another file.
    package static let dataFile = Self(rawValue: 1 << 2)
    /// The compression type field is not zero.
    package static let compressionType = Self(rawValue: 1 << 3)
    /// L2 entries have 128 bits and describe subclusters.
    package static let extendedL2 = Self(rawValue: 1 << 4)

    /// Every feature that is known here.
    package static let known: Self = [.dirty, .corrupt, .dataFile, .compressionType, .extendedL2]
}

/// Compatible features (header bytes 80-87): can be ignored by who does not know them.
package struct QCOW2Compatible: OptionSet, Sendable, Hashable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Refcount updates may be postponed while the dirty bit is set.
    package static let lazyRefcounts = Self(rawValue: 1 << 0)
}

/// Autoclear features (header bytes 88-95): a writer that does not know a bit clears it.
package struct QCOW2Autoclear: OptionSet, Sendable, Hashable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    /// The bitmaps extension is consistent.
    package static let bitmaps = Self(rawValue: 1 << 0)
    /// The external data file can be read as a raw image of the disk.
    package static let rawDataFile = Self(rawValue: 1 << 1)
}

/// How clusters are compressed (header byte 104).
package enum QCOW2Compression: UInt8, Sendable, Hashable, Codable {
    /// A raw deflate stream without the zlib header.
    case zlib = 0
    /// A zstd stream.
    case zstd = 1
}

/// An entry of the feature name table.
package struct QCOW2FeatureName: Sendable, Hashable {
    /// 0 incompatible, 1 compatible, 2 autoclear.
    package let type: UInt8
    /// The bit's number.
    package let bit: UInt8
    /// The name, at most 46 bytes.
    package let name: String

    /// Names a feature.
    package init(type: UInt8, bit: UInt8, name: String) {
        self.type = type
        self.bit = bit
        self.name = name
    }

    /// The names of all features known here: the table that qemu writes into every version 3 image.
    package static let table: [QCOW2FeatureName] = [
        QCOW2FeatureName(type: 0, bit: 0, name: "dirty bit"),
        QCOW2FeatureName(type: 0, bit: 1, name: "corrupt bit"),
        QCOW2FeatureName(type: 0, bit: 2, name: "external data file"),
        QCOW2FeatureName(type: 0, bit: 3, name: "compression type"),
        QCOW2FeatureName(type: 0, bit: 4, name: "extended L2 entries"),
        QCOW2FeatureName(type: 1, bit: 0, name: "lazy refcounts"),
        QCOW2FeatureName(type: 2, bit: 0, name: "bitmaps"),
        QCOW2FeatureName(type: 2, bit: 1, name: "raw external data"),
    ]

    /// The table's bytes: 48 for each entry, names padded with zeros.
    package static func encode(_ names: [QCOW2FeatureName]) -> [UInt8] {
        names.flatMap { entry in
            let name = [UInt8](entry.name.utf8.prefix(46))
            return [entry.type, entry.bit] + name + [UInt8](repeating: 0, count: 46 - name.count)
        }
    }

    /// The entries of a table's bytes; a rest that is no whole entry is left out.
    package static func decode(_ bytes: [UInt8]) -> [QCOW2FeatureName] {
        stride(from: 0, to: bytes.count - bytes.count % 48, by: 48).map { start in
            let name = bytes[start + 2..<start + 48].prefix { $0 != 0 }
            return QCOW2FeatureName(
                type: bytes[start],
                bit: bytes[start + 1],
                name: String(decoding: name, as: UTF8.self)
            )
        }
    }
}
