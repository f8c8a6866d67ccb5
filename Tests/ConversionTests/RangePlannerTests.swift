// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Conversion
internal import Testing

@Suite struct RangePlannerTests {
    private let unit = RangePlanner.unit

    private func divide(
        _ size: UInt64,
        joinsEmpty: Bool = true,
        data: [Range<UInt64>]
    ) throws -> RangePlanner.Ranges {
        let walk: RangePlanner.Walk = { emit in
            for run in data {
                emit(GuestRange(GuestOffset(run.lowerBound), length: UInt64(run.count)))
            }
        }
        return try RangePlanner(rangeSize: unit, joinsEmpty: joinsEmpty)
            .divide(guestSize: size, [walk])
    }

    @Test(
        "ranges that are only read are longer on larger disks",
        arguments: [(0, 16), (2 << 30, 16), (3 << 30, 32), (6 << 30, 64), (1 << 50, 64)]
            as [(UInt64, UInt64)]
    )
    func readingRanges(guestSize: UInt64, mebibytes: UInt64) {
        #expect(RangePlanner.readingRangeSize(guestSize: guestSize) == mebibytes << 20)
    }

    @Test func `an empty disk has no range`() throws {
        #expect(try divide(0, data: []).ranges.isEmpty)
    }

    @Test func `stretches without data become one range`() throws {
        let plan = try divide(1 << 30, data: [unit * 10 + 5..<unit * 10 + 6])
        #expect(plan.ranges.map(\.length) == [unit * 10, unit, (1 << 30) - 11 * unit])
        #expect(plan.dataBytes == 1)
    }

    @Test func `without joining every range has the asked size`() throws {
        let plan = try divide(unit * 5 + 7, joinsEmpty: false, data: [])
        #expect(plan.ranges.map(\.length) == [unit, unit, unit, unit, unit, 7])
    }

    @Test func `ranges cover the disk in order whatever the data`() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let size = UInt64.random(in: 1...unit * 40, using: &generator)
            var data: [Range<UInt64>] = []
            var position: UInt64 = 0
            while position < size {
                let start = min(size, position + UInt64.random(in: 0...unit * 6, using: &generator))
                let end = min(size, start + UInt64.random(in: 1...unit * 3, using: &generator))
                if start < end { data.append(start..<end) }
                position = end
            }
            let plan = try divide(size, data: data)
            var expected: UInt64 = 0
            for range in plan.ranges {
                #expect(range.start.bytes == expected && range.length > 0)
                #expect(expected % unit == 0)
                expected = range.end.bytes
            }
            #expect(expected == size)
            #expect(plan.dataBytes == data.reduce(0) { $0 + UInt64($1.count) })
        }
    }
}
