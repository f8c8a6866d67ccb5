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

    @Test(arguments: [1, 3, 15, 255, .max] as [UInt64], SeededGenerator.seeds(20))
    func
        `no cluster of the file holds more streams than it may, and a range takes no more than its clusters`(
            mostShared: UInt64,
            seed: UInt64
        )
    {
        var random = SeededGenerator(seed: seed)
        var layout = PackedLayout(Self.rules(mostShared: mostShared))
        var counts: [UInt64: UInt64] = [:]
        let longest: UInt64 = [20, 500, Self.size - 1].randomElement(using: &random) ?? 1
        var end: UInt64 = 0
        let streams = 500
        for _ in 0..<streams {
            let length = UInt64.random(in: 1...longest, using: &random)
            let start = layout.add(length)
            #expect(start >= end)
            #expect(mostShared < .max || start == end)
            end = start + length
            for cluster in start / Self.size...(end - 1) / Self.size {
                counts[cluster, default: 0] += 1
            }
        }
        #expect(layout.streamLength == end)
        #expect(counts.values.max() ?? 0 <= mostShared, "DRAY_SEED=\(seed)")
        #expect(end <= UInt64(streams) * Self.size)
        // Nothing is left empty.
        #expect(UInt64(counts.count) == end.dividedRoundingUp(by: Self.size))
    }
}
