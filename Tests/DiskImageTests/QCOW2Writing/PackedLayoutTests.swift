// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import DiskImage
import TestSupport
import Testing

/// Where the compressed clusters of a range lie.
@Suite struct PackedLayoutTests {
    private static let size: UInt64 = 4096

    private static func rules(mostShared: UInt64) -> Allocation {
        Allocation(
            firstPayload: HostOffset(size),
            clusterSize: size,
            granule: size,
            marksZeros: false,
            mostShared: mostShared
        )
    }

    /// What lies in a file: which clusters are taken whole, and how many streams have a part in each of the others.
    private struct Taken {
        var streams: [UInt64: UInt64] = [:]
        var plain: Set<UInt64> = []

        mutating func add(_ length: UInt64, at place: UInt64) {
            guard length > 0 else {
                #expect(place % PackedLayoutTests.size == 0)
                #expect(plain.insert(place / PackedLayoutTests.size).inserted)
                return
            }
            let last = (place + length - 1) / PackedLayoutTests.size
            for cluster in place / PackedLayoutTests.size...last {
                streams[cluster, default: 0] += 1
            }
        }
    }

    private static func lengths(
        _ count: Int,
        longest: UInt64,
        plainIn: Int,
        _ random: inout SeededGenerator
    ) -> [UInt64] {
        (0..<count).map { _ in
            let isPlain = plainIn > 0 && Int.random(in: 0..<plainIn, using: &random) == 0
            return isPlain ? 0 : UInt64.random(in: 1...longest, using: &random)
        }
    }

    /// Lays out ranges one behind the other, and says where the last one ends.
    private static func place(
        _ ranges: [[UInt64]],
        mostShared: UInt64,
        seed: UInt64
    ) -> UInt64 {
        let rules = rules(mostShared: mostShared)
        var taken = Taken()
        var next = size
        for range in ranges {
            var lengths = StoredLengths()
            for length in range { lengths.append(Int(length)) }
            var layout = PackedLayout(lengths, rules, from: next)
            #expect(layout.start >= next)
            var reached = layout.start
            for length in range {
                let place = layout.place(length)
                #expect(place >= layout.start, "DRAY_SEED=\(seed)")
                taken.add(length, at: place)
                reached = max(reached, place + (length > 0 ? length : size))
            }
            let bytes = layout.plainLength + layout.streamLength
            let isGapless = mostShared == .max && (layout.plainLength == 0 || next % size == 0)
            #expect(!isGapless || reached - layout.start == bytes, "DRAY_SEED=\(seed)")
            #expect(reached - layout.start <= (UInt64(range.count) + 1) * size)
            #expect(reached == layout.payloadEnd && reached <= layout.end, "DRAY_SEED=\(seed)")
            next = layout.end
        }
        #expect(taken.streams.values.max() ?? 0 <= mostShared, "DRAY_SEED=\(seed)")
        // Nothing is left empty.
        let used = taken.streams.count + taken.plain.count
        #expect(UInt64(used) == next.dividedRoundingUp(by: size) - 1, "DRAY_SEED=\(seed)")
        #expect(taken.plain.isDisjoint(with: taken.streams.keys), "DRAY_SEED=\(seed)")
        return next
    }

    @Test(arguments: [1, 3, 15, 255, .max] as [UInt64], SeededGenerator.seeds(40))
    func `no cluster of the file holds more streams than it may, whatever ranges share it`(
        mostShared: UInt64,
        seed: UInt64
    ) {
        var random = SeededGenerator(seed: seed)
        let longest: UInt64 = [1, 20, 500, Self.size - 1].randomElement(using: &random) ?? 1
        let plainIn = [0, 2, 9].randomElement(using: &random) ?? 0
        let ranges = (0..<60).map { _ in
            Self.lengths(
                Int.random(in: 0...20, using: &random),
                longest: longest,
                plainIn: plainIn,
                &random
            )
        }
        _ = Self.place(ranges, mostShared: mostShared, seed: seed)
    }

    @Test(arguments: [1, 3, 15, 255, .max] as [UInt64], SeededGenerator.seeds(40))
    func `streams take no more clusters in many ranges than in one`(
        mostShared: UInt64,
        seed: UInt64
    ) {
        var random = SeededGenerator(seed: seed)
        let longest: UInt64 = [1, 20, 500, Self.size - 1].randomElement(using: &random) ?? 1
        let ranges = (0..<60).map { _ in
            Self.lengths(
                Int.random(in: 0...20, using: &random),
                longest: longest,
                plainIn: 0,
                &random
            )
        }
        let clusters = { (ranges: [[UInt64]]) in
            Self.place(ranges, mostShared: mostShared, seed: seed).dividedRoundingUp(by: Self.size)
        }
        // Where a range begins a place is moved by as many bytes as may share a cluster, at most.
        let moved = mostShared == .max ? 0 : UInt64(ranges.count) * mostShared / Self.size + 1
        #expect(clusters(ranges) <= clusters([ranges.flatMap { $0 }]) + moved, "DRAY_SEED=\(seed)")
    }
}
