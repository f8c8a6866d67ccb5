// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

/// The clusters of one range of a packed target.
struct PackedClusters {
    private let placement: RangePlacement
    private let stored: StoredLengths
    private let rules: Allocation
    /// Where they lie.
    let layout: PackedLayout

    /// The clusters of a placement that was validated; nil where it is no packed one.
    init?(_ placement: RangePlacement, _ rules: Allocation) {
        guard let stored = placement.stored else { return nil }
        self.placement = placement
        self.stored = stored
        self.rules = rules
        layout = PackedLayout(stored, rules, from: placement.reservation?.bytes ?? 0)
    }

    /// Where the range's bytes lie.
    var place: Range<UInt64> { layout.start..<layout.payloadEnd }

    /// Calls `body` with each run of clusters in guest order; each cluster that is stored is a run of its own.
    func forEachRun<E: Error>(_ body: (ClusterRun) throws(E) -> Void) throws(E) {
        var cluster = placement.range.start.bytes / rules.clusterSize
        var lengths = stored.makeIterator()
        var places = layout
        for run in placement.runs {
            let count = UInt64(run.count)
            switch run.state {
            case .hole: break
            case .zero:
                try body(
                    ClusterRun(first: cluster, count: count, data: 0, zero: .max, host: nil)
                )
            case .data:
                for index in cluster..<cluster + count {
                    let length = lengths.next() ?? 0
                    let host = HostOffset(places.place(length))
                    var run = ClusterRun(first: index, count: 1, data: .max, zero: 0, host: host)
                    run.streamLength = length
                    try body(run)
                }
            }
            cluster += count
        }
    }
}
