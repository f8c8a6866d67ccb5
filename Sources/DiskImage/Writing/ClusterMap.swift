// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

/// Where every guest cluster of a target lies: the input of its tables, read twice (to size them, then to write them)
/// and never held in memory as a whole.
struct ClusterMap {
    private enum Source {
        /// All clusters are stored, in guest order from a host offset.
        case identity(start: HostOffset, clusters: UInt64)
        /// As the ranges say.
        case placed([RangePlacement])
    }

    private let source: Source
    private let rules: Allocation
    /// Where clusters without payload are given places, if they are: preallocation with subclusters.
    private let spareStart: HostOffset?

    /// The payload's clusters, by host cluster index: sorted, apart from each other. None of a packed target, where several guest clusters
    /// share one: see ``forEachShare(of:_:)``.
    let payload: [Range<UInt64>]
    /// The first byte behind the payload and the places kept for more.
    let payloadEnd: HostOffset
    /// The L2 tables that are needed, by index: sorted, apart from each other.
    let tables: [Range<UInt64>]

    /// The map of a target where every guest cluster lies at its own offset behind `rules.firstPayload`.
    init(identity clusters: UInt64, _ rules: Allocation, l2Entries: UInt64) {
        let start = rules.firstPayload
        let first = start.bytes / rules.clusterSize
        source = .identity(start: start, clusters: clusters)
        self.rules = rules
        spareStart = nil
        payload = clusters == 0 ? [] : [first..<first + clusters]
        payloadEnd = start + clusters * rules.clusterSize
        tables = clusters == 0 ? [] : [0..<clusters.dividedRoundingUp(by: l2Entries)]
    }

    /// The map that `ranges` make, validated. With `fillsHoles` each cluster that does not read as zeros by metadata gets a place,
    /// behind the payload where it has none. Fails with `bug` where the ranges contradict themselves or the rules.
    init(
        _ ranges: [RangePlacement],
        _ check: PlacementCheck,
        l2Entries: UInt64,
        fillsHoles: Bool
    ) throws(DrayError) {
        try check.validate(ranges)
        rules = check.rules
        source = .placed(ranges)
        guard !check.isPacked else {
            spareStart = nil
            payload = []
            payloadEnd = HostOffset(try Self.packedEnd(of: ranges, check))
            tables = Self.survey(.placed(ranges), rules, nil, l2Entries).tables
            return
        }
        let used = try Self.payload(of: ranges, check)
        let usedEnd = used.last?.upperBound ?? check.rules.firstPayload.bytes / rules.clusterSize
        let behind = HostOffset(usedEnd * rules.clusterSize)
        spareStart = fillsHoles ? behind : nil
        let survey = Self.survey(.placed(ranges), check.rules, spareStart, l2Entries)
        tables = survey.tables
        payloadEnd = behind + survey.spare * rules.clusterSize
        let spare = usedEnd..<usedEnd + survey.spare
        payload = Self.joined(spare.isEmpty ? used : used + [spare])
    }

    /// Calls `body` with each run of clusters that the tables describe, in guest order.
    func forEachRun<E: Error>(_ body: (ClusterRun) throws(E) -> Void) throws(E) {
        try Self.forEachRun(source, rules, spareStart, body)
    }

    /// Of a packed target: calls `body` for each stored cluster with those of the host clusters in `window` that it lies in.
    func forEachShare(of window: Range<UInt64>, _ body: (Range<UInt64>) -> Void) {
        guard case .placed(let ranges) = source else { return }
        for placement in ranges {
            guard let clusters = PackedClusters(placement, rules), !clusters.place.isEmpty else {
                continue
            }
            let place = clusters.place
            guard place.lowerBound / rules.clusterSize < window.upperBound,
                (place.upperBound - 1) / rules.clusterSize >= window.lowerBound
            else { continue }
            clusters.forEachRun { run in
                let share = run.hostClusters(of: rules.clusterSize).clamped(to: window)
                if !share.isEmpty { body(share) }
            }
        }
    }
}

extension ClusterMap {
    private static func forEachRun<E: Error>(
        _ source: Source,
        _ rules: Allocation,
        _ spareStart: HostOffset?,
        _ body: (ClusterRun) throws(E) -> Void
    ) throws(E) {
        switch source {
        case .identity(let start, let clusters):
            guard clusters > 0 else { return }
            let full: UInt32 = rules.granule == rules.clusterSize ? 1 : UInt32.max
            try body(ClusterRun(first: 0, count: clusters, data: full, zero: 0, host: start))
        case .placed(let ranges):
            var spare = spareStart
            for placement in ranges {
                if let packed = PackedClusters(placement, rules) {
                    try packed.forEachRun(body)
                    continue
                }
                var folder = ClusterFolder(placement, rules)
                let take = { (run: ClusterRun) throws(E) in
                    var run = run
                    if run.data == 0 && run.zero != UInt32.max, let place = spare {
                        run.host = place
                        spare = place + run.count * rules.clusterSize
                    }
                    if run.isDescribed { try body(run) }
                }
                for run in placement.runs { try folder.add(run, take) }
                try folder.finish(take)
            }
        }
    }

    /// The clusters that the reservations hold, sorted and joined. Fails with `bug` where two placements claim one cluster.
    private static func payload(
        of ranges: [RangePlacement],
        _ check: PlacementCheck
    ) throws(DrayError) -> [Range<UInt64>] {
        var used: [Range<UInt64>] = []
        for (index, placement) in ranges.enumerated() {
            guard let start = placement.reservation else { continue }
            var count: UInt64 = 0
            forEachRun(.placed([placement]), check.rules, nil) { run in
                if run.data != 0 { count += run.count }
            }
            let first = start.bytes / check.rules.clusterSize
            try check.checkPlace(first..<first + count, index)
            if count > 0 { used.append(first..<first + count) }
        }
        used.sort { $0.lowerBound < $1.lowerBound }
        for (a, b) in zip(used, used.dropFirst()) where a.upperBound > b.lowerBound {
            let offset = b.lowerBound * check.rules.clusterSize
            throw DrayError(.bug, "two ranges have their payload in one place", offset: offset)
        }
        return joined(used)
    }

    /// The end of a packed payload, in whole clusters. Fails with `bug` where two placements claim one place.
    private static func packedEnd(
        of ranges: [RangePlacement],
        _ check: PlacementCheck
    ) throws(DrayError) -> UInt64 {
        var end = check.rules.firstPayload.bytes
        let placed = ranges.filter { $0.reservation != nil }
        for placement in placed.sorted(by: {
            ($0.reservation?.bytes ?? 0) < $1.reservation?.bytes ?? 0
        }) {
            guard let layout = PackedClusters(placement, check.rules)?.layout else { continue }
            // Where few may share a cluster, a place inside of one is what the range before said, or its streams were miscounted.
            let isCounted =
                check.rules.mostShared == .max
                || layout.start % check.rules.clusterSize == 0 || layout.start == end
            guard layout.start >= end, isCounted else {
                throw DrayError(
                    .bug,
                    "two ranges have their payload in one place",
                    offset: layout.start
                )
            }
            end = layout.end
        }
        return end.dividedRoundingUp(by: check.rules.clusterSize) * check.rules.clusterSize
    }

    private static func survey(
        _ source: Source,
        _ rules: Allocation,
        _ spareStart: HostOffset?,
        _ l2Entries: UInt64
    ) -> (tables: [Range<UInt64>], spare: UInt64) {
        var tables: [Range<UInt64>] = []
        var spare: UInt64 = 0
        forEachRun(source, rules, spareStart) { run in
            if run.data == 0 && run.host != nil { spare += run.count }
            let first = run.first / l2Entries
            let end = (run.end - 1) / l2Entries + 1
            if let last = tables.last, last.upperBound >= first {
                tables[tables.count - 1] = last.lowerBound..<max(last.upperBound, end)
            } else {
                tables.append(first..<end)
            }
        }
        return (tables, spare)
    }

    /// Neighbours made one; `ranges` are sorted and apart.
    private static func joined(_ ranges: [Range<UInt64>]) -> [Range<UInt64>] {
        var out: [Range<UInt64>] = []
        for range in ranges {
            if let last = out.last, last.upperBound == range.lowerBound {
                out[out.count - 1] = last.lowerBound..<range.upperBound
            } else {
                out.append(range)
            }
        }
        return out
    }
}
