// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import DiskImage
import Storage
import TestSupport

/// Writes a disk's payload as a target's placement says: one thread, no queue, ranges in random order.
struct SmallDataPlane {
    let disk: LayeredDisk
    let target: any TargetFormat
    let storage: any Storage
    var generator: SeededGenerator

    /// Prepares, writes and seals.
    mutating func run() throws -> [RangePlacement] {
        try target.prepare(storage)
        switch target.placement {
        case .identity(let start):
            try write(0..<disk.size, at: start)
            try target.seal(storage, [])
            return []
        case .allocated(let rules):
            let placements = try place(rules)
            try target.seal(storage, placements)
            return placements
        case .packed(let packing):
            let placements = try pack(packing)
            try target.seal(storage, placements)
            return placements
        }
    }

    /// Encodes range after range, since their places are in guest order.
    private mutating func pack(_ packing: Packing) throws -> [RangePlacement] {
        let rules = packing.rules
        let encoder = target.makeEncoder()
        var next = rules.firstPayload.bytes
        return try cut(unit: max(Int(rules.clusterSize), 64 << 10)).map { range in
            let states = states(range, rules)
            let clusters = payload(range, states, rules)
            let space = AlignedBuffer(count: packing.largestStored)
            var lengths = StoredLengths()
            var streams: [[UInt8]?] = []
            for start in clusters {
                let bytes = start..<start + Int(rules.clusterSize)
                let guest = GuestOffset(UInt64(start))
                let length = encoder.encode(guest, disk.bytes, bytes, into: space, at: 0)
                lengths.append(length)
                streams.append(length.map { space.bytes(0..<$0) })
            }
            var layout = PackedLayout(lengths, rules, from: next)
            let place = layout.start
            next = layout.end
            for (start, stream) in zip(clusters, streams) {
                let host = HostOffset(layout.place(UInt64(stream?.count ?? 0)))
                guard let stream else {
                    let bytes = start..<start + Int(rules.clusterSize)
                    try storage.write(host, from: disk.bytes, bytes)
                    continue
                }
                space.copy(stream, to: 0)
                try storage.write(host, from: space, 0..<stream.count)
            }
            return RangePlacement(
                range: GuestRange(
                    GuestOffset(UInt64(range.lowerBound)),
                    length: UInt64(range.count)
                ),
                reservation: clusters.isEmpty ? nil : HostOffset(place),
                runs: Self.runs(states),
                stored: lengths
            )
        }
    }

    private mutating func place(_ rules: Allocation) throws -> [RangePlacement] {
        var next = rules.firstPayload
        var placements: [Int: RangePlacement] = [:]
        let ranges = cut(unit: max(Int(rules.clusterSize), 64 << 10))
        for index in ranges.indices.shuffled(using: &generator) {
            let range = ranges[index]
            let states = states(range, rules)
            let clusters = payload(range, states, rules)
            for (order, start) in clusters.enumerated() {
                let place = next + UInt64(order) * rules.clusterSize
                try write(start..<start + Int(rules.clusterSize), at: place)
            }
            placements[index] = RangePlacement(
                range: GuestRange(
                    GuestOffset(UInt64(range.lowerBound)),
                    length: UInt64(range.count)
                ),
                reservation: clusters.isEmpty ? nil : next,
                runs: Self.runs(states)
            )
            next = next + UInt64(clusters.count) * rules.clusterSize
        }
        return ranges.indices.compactMap { placements[$0] }
    }

    /// Ranges of one to eight units.
    private mutating func cut(unit: Int) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var start = 0
        while start < disk.size {
            let length = unit * Int.random(in: 1...8, using: &generator)
            ranges.append(start..<min(start + length, disk.size))
            start += length
        }
        return ranges
    }

    private func states(_ range: Range<Int>, _ rules: Allocation) -> [RangePlacement.State] {
        let granule = Int(rules.granule)
        return stride(from: range.lowerBound, to: range.upperBound, by: granule).map { start in
            // The last granule's rest beyond the disk is neither here nor there.
            let inside = start..<min(start + granule, (disk.size + 511) / 512 * 512)
            let content = disk.content(inside)
            if content == .hole { return .hole }
            if content != .zeros && !disk.bytes.isZero(start..<start + granule) { return .data }
            if !rules.marksZeros || start >= disk.baseSize { return .hole }
            if rules.storedZeros != .none || content != .zeros { return .data }
            return .zero
        }
    }

    /// The guest offsets of the clusters that are stored.
    private func payload(
        _ range: Range<Int>,
        _ states: [RangePlacement.State],
        _ rules: Allocation
    ) -> [Int] {
        let perCluster = Int(rules.clusterSize / rules.granule)
        return stride(from: 0, to: states.count, by: perCluster).compactMap { first in
            let cluster = states[first..<min(first + perCluster, states.count)]
            return cluster.contains(.data)
                ? range.lowerBound + first * Int(rules.granule) : nil
        }
    }

    private static func runs(_ states: [RangePlacement.State]) -> [RangePlacement.Run] {
        var runs: [RangePlacement.Run] = []
        for state in states {
            if let last = runs.last, last.state == state {
                runs[runs.count - 1] = RangePlacement.Run(state, last.count + 1)
            } else {
                runs.append(RangePlacement.Run(state, 1))
            }
        }
        return runs
    }

    /// Writes all but pages of zeros where the storage reads as zeros anyway.
    private func write(_ range: Range<Int>, at place: HostOffset) throws {
        try disk.bytes.forEachRun(of: range, granule: 4096) { run, isZero throws(DrayError) in
            if isZero && storage.isZeroInitialized { return }
            let host = place + UInt64(run.lowerBound - range.lowerBound)
            try storage.write(host, from: disk.bytes, run)
        }
    }
}
