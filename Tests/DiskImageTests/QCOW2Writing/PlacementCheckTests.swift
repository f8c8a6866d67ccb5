// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import DiskImage
import Storage
import TestSupport
import Testing

/// Reports of ranges that contradict each other or the plan: an error, and no image.
@Suite struct PlacementCheckTests {
    typealias Run = RangePlacement.Run
    static let cluster: UInt64 = 65_536
    static let size = 8 * cluster

    static func placement(_ first: UInt64, _ count: UInt64, _ at: UInt64?, _ runs: [Run])
        -> RangePlacement
    {
        RangePlacement(
            range: GuestRange(GuestOffset(first * cluster), length: count * cluster),
            reservation: at.map { HostOffset($0) },
            runs: runs
        )
    }

    static let holes = placement(4, 4, nil, [Run(.hole, 4)])
    static let huge = placement(4, UInt64.max / cluster, nil, [Run(.hole, Int.max)])

    static let contradictions: [(String, [RangePlacement])] = [
        ("nothing covered", []),
        ("the end missing", [placement(0, 4, nil, [Run(.hole, 4)])]),
        ("the start missing", [holes]),
        ("out of order", [holes, placement(0, 4, nil, [Run(.hole, 4)])]),
        ("twice", [placement(0, 8, nil, [Run(.hole, 8)]), holes]),
        ("beyond the end", [placement(0, 9, nil, [Run(.hole, 9)])]),
        ("overflowing", [placement(0, 4, nil, [Run(.hole, 4)]), huge]),
        ("too few granules", [placement(0, 8, nil, [Run(.hole, 7)])]),
        ("too many granules", [placement(0, 8, nil, [Run(.hole, 9)])]),
        ("negative run", [placement(0, 8, nil, [Run(.hole, 9), Run(.hole, -1)])]),
        ("empty run", [placement(0, 8, nil, [Run(.hole, 0), Run(.hole, 8)])]),
        ("data without reservation", [placement(0, 8, nil, [Run(.data, 8)])]),
        ("payload on the header", [placement(0, 8, 0, [Run(.data, 8)])]),
        ("payload askew", [placement(0, 8, cluster + 512, [Run(.data, 8)])]),
        ("payload too far", [placement(0, 8, 2 * cluster, [Run(.data, 8)])]),
        ("payload at the end of the world", [placement(0, 8, .max - 65_535, [Run(.data, 8)])]),
        (
            "one place for two",
            [
                placement(0, 4, cluster, [Run(.data, 4)]),
                placement(4, 4, 4 * cluster, [Run(.data, 4)]),
            ]
        ),
    ]

    @Test("a contradiction is an error and leaves no image", arguments: contradictions)
    func contradiction(name: String, placements: [RangePlacement]) throws {
        for options in [
            "", "backing_file=b,backing_fmt=raw", "preallocation=metadata,extended_l2=on",
        ] {
            // With subclusters a run's count is in 32nds.
            let isExtended = options.contains("extended")
            let placements = isExtended ? Self.inSubclusters(placements) : placements
            let target = try QCOW2Target(guestSize: Self.size, options: parse(options))
            let storage = MemoryStorage(length: Self.cluster)
            let error = #expect(throws: DrayError.self) { try target.seal(storage, placements) }
            #expect(error?.kind == .bug)
            #expect(storage.length == Self.cluster && storage.allocatedBytes == 0)
        }
    }

    private static func inSubclusters(_ placements: [RangePlacement]) -> [RangePlacement] {
        placements.map { placement in
            RangePlacement(
                range: placement.range,
                reservation: placement.reservation,
                runs: placement.runs.map { run in
                    let (count, overflow) = run.count.multipliedReportingOverflow(by: 32)
                    return Run(run.state, overflow ? run.count : count)
                }
            )
        }
    }

    @Test("streams that begin where few may share a cluster are an error", arguments: [512, 0])
    func narrowCounts(askew: UInt64) throws {
        let target = try QCOW2Target(
            guestSize: Self.size,
            options: parse("refcount_bits=2"),
            compression: .fast
        )
        var lengths = StoredLengths()
        for _ in 0..<8 { lengths.append(100) }
        let placement = RangePlacement(
            range: GuestRange(GuestOffset(0), length: Self.size),
            reservation: HostOffset(Self.cluster + askew),
            runs: [Run(.data, 8)],
            stored: lengths
        )
        let storage = MemoryStorage(length: 4 * Self.cluster)
        guard askew > 0 else { return try target.seal(storage, [placement]) }
        #expect(throws: DrayError.self) { try target.seal(storage, [placement]) }
    }

    @Test("zeros that version 2 cannot mark are an error")
    func zerosInVersion2() throws {
        let options = parse("compat=v2,backing_file=b,backing_fmt=raw")
        let target = try QCOW2Target(guestSize: Self.size, options: options)
        guard case .allocated(let rules) = target.placement else {
            Issue.record("the target allocates")
            return
        }
        #expect(rules.marksZeros && rules.storedZeros == .hiding)
        let zeros = Self.placement(0, 8, nil, [Run(.zero, 8)])
        #expect(throws: DrayError.self) { try target.seal(MemoryStorage(), [zeros]) }
    }
}
