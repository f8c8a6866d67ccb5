// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

/// How often each cluster of a file is used, as the metadata say: two bytes a cluster, four where refcounts are wider.
struct QCOW2ReferenceCounts {
    /// The most memory that the counts may take, in bytes.
    static let largestSize: UInt64 = 192 << 20

    /// How many clusters the file has; one more where something reaches beyond its end.
    private(set) var clusterCount: Int
    /// The largest count that the image's refcounts can express (or that is kept here).
    private let most: UInt64
    private var narrow: [UInt16] = []
    private var wide: [UInt32] = []

    /// Counts of zero for `clusterCount` clusters with refcounts of `bits` bits.
    /// Fails with `unsupported` where that takes more memory than is allowed.
    init(clusterCount: UInt64, bits: Int, file: String) throws(DrayError) {
        let width: UInt64 = bits > 16 ? 4 : 2
        guard clusterCount <= Self.largestSize / width else {
            throw DrayError(
                .unsupported,
                "the file has \(clusterCount) clusters, more than can be checked (\(Self.largestSize / width))",
                file: file
            )
        }
        self.clusterCount = Int(clusterCount)
        most = bits >= 32 ? UInt64(UInt32.max) : UInt64(1) << UInt64(bits) - 1
        if width == 2 {
            narrow = [UInt16](repeating: 0, count: Int(clusterCount) + 1)
        } else {
            wide = [UInt32](repeating: 0, count: Int(clusterCount) + 1)
        }
    }

    /// The count of a cluster.
    subscript(cluster: Int) -> UInt64 {
        wide.isEmpty ? UInt64(narrow[cluster]) : UInt64(wide[cluster])
    }

    /// Makes room for the clusters up to `cluster`, at most the one behind the last.
    mutating func reach(_ cluster: Int) {
        precondition(
            cluster < max(narrow.count, wide.count),
            "a reference ends with the next cluster"
        )
        clusterCount = max(clusterCount, cluster + 1)
    }

    /// Counts the only reference that most clusters have; false where the cluster has one already.
    @inline(__always)
    mutating func addFirst(to cluster: Int) -> Bool {
        if wide.isEmpty {
            guard narrow[cluster] == 0 else { return false }
            narrow[cluster] = 1
        } else {
            guard wide[cluster] == 0 else { return false }
            wide[cluster] = 1
        }
        return true
    }

    /// Adds `times` to the count of `cluster`. Returns how many of them the width of the refcounts has no room for.
    mutating func add(_ times: UInt64, to cluster: Int) -> UInt64 {
        let count = self[cluster]
        let added = min(times, most - count)
        if wide.isEmpty {
            narrow[cluster] = UInt16(truncatingIfNeeded: count + added)
        } else {
            wide[cluster] = UInt32(truncatingIfNeeded: count + added)
        }
        return times - added
    }
}
