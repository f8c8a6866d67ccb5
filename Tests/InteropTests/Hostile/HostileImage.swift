// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import Testing

/// A qcow2 image that is laid out by hand, to be wrong on purpose: refcount table, refcount block and L1 table are clusters
/// 1 to 3, what is added follows.
struct HostileImage {
    static let copied: UInt64 = 1 << 63
    let clusterBits: Int
    let l1: Int
    private(set) var bytes: [UInt8]
    private var nextCluster: Int

    /// An image without data. `l1Entries` are there for the L1 table, in as many clusters as they need.
    init(
        size: UInt64,
        clusterBits: Int = 12,
        incompatible: UInt64 = 0,
        l1Entries: Int = 1,
        extensions: [(UInt32, [UInt8])] = [],
        backing: String? = nil
    ) {
        let clusterSize = 1 << clusterBits
        self.clusterBits = clusterBits
        l1 = 3 * clusterSize
        nextCluster = 3 + max(1, (l1Entries * 8 + clusterSize - 1) / clusterSize)
        bytes = [UInt8](repeating: 0, count: nextCluster * clusterSize)
        put(0, 0x5146_49FB_0000_0003)
        put(16, UInt64(clusterBits))
        put(24, size)
        put(32, UInt64(l1Entries))
        put(40, UInt64(l1))
        put(48, UInt64(clusterSize))
        put(56, 1 << 32)
        put(72, incompatible)
        put(96, 4 << 32 | 112)
        put(clusterSize, UInt64(2 * clusterSize))
        var place = 112
        for (type, data) in extensions {
            put(place, UInt64(type) << 32 | UInt64(data.count))
            replace(place + 8, data)
            place += 8 + (data.count + 7) / 8 * 8
        }
        place += 8
        if let backing {
            put(8, UInt64(place))
            put(16, UInt64(backing.utf8.count) << 32 | UInt64(clusterBits))
            replace(place, Array(backing.utf8))
        }
    }

    /// Puts a word, most significant byte first, making the image longer where it must be.
    mutating func put(_ place: Int, _ word: UInt64) {
        replace(place, (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * $0)) })
    }

    /// Puts bytes, making the image longer where it must be.
    mutating func replace(_ place: Int, _ new: [UInt8]) {
        let end = place + new.count
        if end > bytes.count { bytes += [UInt8](repeating: 0, count: end - bytes.count) }
        bytes.replaceSubrange(place..<end, with: new)
    }

    /// Adds `data` in whole clusters at the end; where it is.
    mutating func add(_ data: [UInt8]) -> UInt64 {
        let clusterSize = 1 << clusterBits
        let place = nextCluster * clusterSize
        nextCluster += max(1, (data.count + clusterSize - 1) / clusterSize)
        bytes += [UInt8](repeating: 0, count: nextCluster * clusterSize - bytes.count)
        replace(place, data)
        return UInt64(place)
    }

    /// Adds an L2 table with these first words, for L1 entry `index`; where it is.
    @discardableResult
    mutating func addTable(_ words: [UInt64], at index: Int = 0) -> UInt64 {
        let place = add([])
        for (number, word) in words.enumerated() { put(Int(place) + number * 8, word) }
        put(l1 + index * 8, place | Self.copied)
        return place
    }
}
