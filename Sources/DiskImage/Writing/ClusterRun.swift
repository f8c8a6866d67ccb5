// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

/// A run of guest clusters that are alike, as the tables will describe them.
struct ClusterRun: Hashable {
    /// The first cluster's index.
    let first: UInt64
    /// How many clusters.
    let count: UInt64
    /// Which granules of each cluster are stored: bit 0 for the first one. One granule a cluster without subclusters.
    let data: UInt32
    /// Which granules of each cluster read as zeros by metadata.
    let zero: UInt32
    /// Where the first cluster lies; the others follow. Nil where the clusters have no place.
    var host: HostOffset?
    /// The length of the compressed stream that the cluster is stored as, in bytes; 0 where it is stored as it is.
    var streamLength: UInt64 = 0

    /// The index behind the last cluster.
    var end: UInt64 { first + count }

    /// Whether the tables say anything about the clusters.
    var isDescribed: Bool { host != nil || zero != 0 }
}

extension ClusterRun {
    /// The host clusters, of `size` bytes, that a cluster which is stored alone lies in: whole sectors are counted, of streams too.
    func hostClusters(of size: UInt64) -> Range<UInt64> {
        guard let start = host?.bytes else { return 0..<0 }
        let length = streamLength == 0 ? size : streamLength
        return start / size..<(start + length - 1) / size + 1
    }
}

/// Folds the granules of a placement into runs of clusters.
struct ClusterFolder {
    private let granulesPerCluster: Int
    private let full: UInt32
    private let clusterSize: UInt64
    private let marksZeros: Bool
    private var cluster: UInt64
    private var host: HostOffset?
    /// How many granules of the current cluster are known, and which are what.
    private var filled = 0
    private var data: UInt32 = 0
    private var zero: UInt32 = 0

    /// Starts at the first cluster of a placement that was validated.
    init(_ placement: RangePlacement, _ rules: Allocation) {
        clusterSize = rules.clusterSize
        marksZeros = rules.marksZeros
        granulesPerCluster = Int(rules.clusterSize / rules.granule)
        full = granulesPerCluster == 32 ? UInt32.max : (1 << UInt32(granulesPerCluster)) - 1
        cluster = placement.range.start.bytes / rules.clusterSize
        host = placement.reservation
    }

    /// Adds granules; `body` gets each run of clusters that is complete.
    mutating func add<E: Error>(
        _ run: RangePlacement.Run,
        _ body: (ClusterRun) throws(E) -> Void
    ) throws(E) {
        var left = run.count
        while left > 0 {
            if filled == 0 && left >= granulesPerCluster {
                set(run.state, full)
                let count = left / granulesPerCluster
                try emit(UInt64(count), body)
                left -= count * granulesPerCluster
            } else {
                let count = min(left, granulesPerCluster - filled)
                let mask = UInt32((UInt64(1) << UInt64(count)) - 1) << UInt32(filled)
                set(run.state, mask)
                filled += count
                left -= count
                if filled == granulesPerCluster { try emit(1, body) }
            }
        }
    }

    /// Gives `body` the last cluster where the disk ends inside it.
    mutating func finish<E: Error>(_ body: (ClusterRun) throws(E) -> Void) throws(E) {
        if filled > 0 { try emit(1, body) }
    }

    private mutating func set(_ state: RangePlacement.State, _ mask: UInt32) {
        switch state {
        case .hole: return
        case .zero: if marksZeros { zero |= mask }
        case .data: data |= mask
        }
    }

    private mutating func emit<E: Error>(
        _ count: UInt64,
        _ body: (ClusterRun) throws(E) -> Void
    ) throws(E) {
        let place = data == 0 ? nil : host
        try body(ClusterRun(first: cluster, count: count, data: data, zero: zero, host: place))
        if data != 0 { host = host.map { $0 + count * clusterSize } }
        cluster += count
        (filled, data, zero) = (0, 0, 0)
    }
}
