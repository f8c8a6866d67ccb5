// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage
internal import TestSupport
internal import Testing

/// What is kept of a stream is bounded, and right however much is left out.
@Suite struct StreamRulesTests {
    @Test(arguments: SeededGenerator.seeds(5))
    func `runs of zeros are never claimed where there are none`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var runs = ZeroRuns(limit: 50)
        var blocks: [Bool] = []
        let block = UInt64(UnitSize.block)
        for _ in 0..<500 {
            // Half as many of each twice the length, so that some are left however short ones are forgotten.
            let length = 4096 / Int.random(in: 1...4096, using: &generator)
            for _ in 0..<length {
                let start = UInt64(blocks.count) * block
                runs.append(start..<start + block)
                blocks.append(true)
            }
            blocks.append(false)
        }
        runs.finish()
        #expect(runs.runs.count <= 50, "DRAY_SEED=\(seed)")
        let end = UInt64(blocks.count) * block
        var position: UInt64 = 0
        var zeros: UInt64 = 0
        while position < end {
            let run = runs.run(at: position, end: end)
            #expect(run.bytes.contains(position) && run.bytes.upperBound <= end)
            if run.isZero {
                zeros += run.bytes.upperBound - position
                let covered = Int(position / block)..<Int(run.bytes.upperBound / block)
                #expect(blocks[covered].allSatisfy { $0 }, "DRAY_SEED=\(seed)")
            }
            position = run.bytes.upperBound
        }
        #expect(zeros > 0)
        #expect(runs.dataCount(in: 0..<end) == end - zeros)
    }

    @Test(arguments: SeededGenerator.seeds(5))
    func `restart points stay few and evenly spread`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var points = RestartPoints(limit: 32)
        var guest: UInt64 = 0
        while guest < 1 << 40 {
            guest += UInt64.random(in: 1...(8 << 20), using: &generator) << 6
            points.offer(guest, .unit(guest / 2))
        }
        #expect(points.points.count <= 33 && points.points.count > 8, "DRAY_SEED=\(seed)")
        #expect(points.points[0].guest == 0)
        for (one, next) in zip(points.points, points.points.dropFirst()) {
            #expect(one.guest < next.guest && next.guest - one.guest <= 1 << 37)
        }
        let some = UInt64.random(in: 0..<guest, using: &generator)
        let found = points.point(before: some).guest
        #expect(found <= some)
        #expect(!points.points.contains { $0.guest > found && $0.guest <= some })
    }

    @Test func `a range of the usual size begins where a point is`() {
        var points = RestartPoints()
        for guest in stride(from: UInt64(0), to: 256 << 20, by: 60_000) {
            points.offer(guest, .unit(guest))
        }
        for range in stride(from: UInt64(0), to: 240 << 20, by: 16 << 20) {
            #expect(range - points.point(before: range).guest < 100_000)
        }
    }
}
