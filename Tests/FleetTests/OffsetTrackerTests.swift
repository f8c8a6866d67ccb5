// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import Conversion
import DiskImage
import Fleet
import TaskLog
import TestSupport
import Testing

struct OffsetTrackerTests {
    private static let partition = PartitionID(Topics.tasks(.normal), 0)

    @Test(
        "the tracker's commit lets another member skip what is done",
        arguments: SeededGenerator.seeds(20)
    )
    func tracker(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var tracker = OffsetTracker(LogPosition(Self.partition, offset: 100))
        var open: Set<Int64> = []
        var done: Set<Int64> = []
        var next: Int64 = 100
        for _ in 0..<2000 {
            if open.count < 300, Bool.random(using: &random) {
                // Offsets have gaps.
                next += Int64.random(in: 0...2, using: &random)
                let isTaken = tracker.take(next)
                #expect(isTaken)
                open.insert(next)
                next += 1
            } else if let offset = open.sorted().randomElement(using: &random) {
                tracker.finish(offset)
                open.remove(offset)
                done.insert(offset)
            }
        }
        #expect(tracker.base == open.min() ?? next)
        let committed = tracker.commit()
        let place = try #require(committed)
        #expect(place.metadata.utf8.count <= OffsetTracker.largestMetadata)
        let repetition = tracker.commit()
        #expect(repetition == nil)
        var heir = OffsetTracker(place)
        for offset in place.offset..<next + 10 where !done.contains(offset) {
            if open.contains(offset) || offset >= next {
                let isTaken = heir.take(offset)
                #expect(isTaken)
            }
        }
        var second = OffsetTracker(place)
        let again = done.filter { $0 >= place.offset }.sorted().filter { second.take($0) }
        #expect(again.isEmpty)
    }

    @Test(
        "metadata that cannot be read makes tasks run again, and nothing worse",
        arguments: [
            "", "x", "1:", "1:-5", "1:99999999999999999999", "1:5,9", "1:5,0", "1:5,a", "2:5",
        ]
    )
    func strangeMetadata(text: String) {
        var tracker = OffsetTracker(LogPosition(Self.partition, offset: 7, metadata: text))
        let taken = [tracker.take(7), tracker.take(8)]
        #expect(taken == [true, true])
    }
}
