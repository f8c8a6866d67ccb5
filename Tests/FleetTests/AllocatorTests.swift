// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import Conversion
import DiskImage
import Fleet
import TestSupport
import Testing

struct AllocatorTests {
    @Test("in guest order a range has its place when all before it have theirs or need none")
    func guestOrder() throws {
        var allocator = Allocator(first: HostOffset(1000), count: 4, isOrdered: true)
        try allocator.reserve(3, SpaceRequest(7))
        try allocator.reserve(2, SpaceRequest(0, alignedBytes: 10, alignment: 64))
        #expect(allocator.isWaiting(2) && allocator.isWaiting(3) && allocator.front == 0)
        try allocator.reserve(1, SpaceRequest(20))
        #expect((0..<4).allSatisfy { allocator.place($0) == nil } && allocator.waitingCount == 3)
        try allocator.skip(0)
        #expect((0..<4).map { allocator.place($0) } == [nil, 1000, 1024, 1034])
        #expect(allocator.waitingCount == 0 && allocator.front == 4)
    }

    @Test(
        "places in guest order follow from the sizes alone, whoever asks when and how often",
        arguments: SeededGenerator.seeds(20)
    )
    func anyOrder(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let count = Int.random(in: 2...40, using: &generator)
        let wanted: [SpaceRequest?] = (0..<count).map { _ in
            guard Int.random(in: 0..<4, using: &generator) > 0 else { return nil }
            let alignment = UInt64(1) << UInt64.random(in: 0...16, using: &generator)
            return SpaceRequest(
                .random(in: 0...100_000, using: &generator),
                alignedBytes: .random(in: 1...100_000, using: &generator),
                alignment: alignment
            )
        }
        var allocator = Allocator(first: HostOffset(512), count: count, isOrdered: true)
        let asks = Array(0..<count) + (0..<count / 2)
        for index in asks.shuffled(using: &generator) {
            if let space = wanted[index] {
                try allocator.reserve(index, space)
            } else {
                try allocator.skip(index)
            }
        }
        var next: UInt64 = 512
        for (index, space) in wanted.enumerated() {
            guard let space else {
                #expect(allocator.place(index) == nil)
                continue
            }
            let place = try #require(allocator.place(index))
            let isAligned = place % space.alignment == 0
            let aligned =
                isAligned ? place : (place + space.bytes).roundedUp(to: space.alignment) ?? 0
            #expect(place >= next && place - next < space.alignment, "DRAY_SEED=\(seed)")
            #expect(place == next || isAligned && space.bytes == 0, "DRAY_SEED=\(seed)")
            next = isAligned ? place + space.total : aligned + space.alignedBytes
        }
    }

    @Test("ranges that share clusters have places that say how many streams are there already")
    func shared() throws {
        let space = { (streams: [Int?]) in
            var lengths = StoredLengths()
            for stream in streams { lengths.append(stream) }
            let sums = lengths.sums(clusterSize: 4096)
            return SpaceRequest(
                sums.streams,
                alignedBytes: sums.plain,
                alignment: 4096,
                shared: SpaceRequest.Shared(lengths, most: 3)
            )
        }
        var allocator = Allocator(first: HostOffset(4096), count: 6, isOrdered: true)
        let streams = [[100], [8], [8, 8], [nil], [4000, 200], [nil, 1]]
        for (index, streams) in streams.enumerated().reversed() {
            try allocator.reserve(index, space(streams))
        }
        // Behind the first stream there is one, then there are two, and after the third and one more a cluster for each kind.
        let places = (0..<6).map { allocator.place($0) }
        #expect(places == [4096, 4197, 4206, 12_288, 16_384, 20_585])
        #expect(throws: DrayError.self) { try allocator.reserve(1, space([9])) }
    }

    @Test("a range that asks for another size, or for one after it needed none, is an alarm")
    func contradictions() throws {
        var allocator = Allocator(first: HostOffset(0), count: 3, isOrdered: true)
        try allocator.reserve(1, SpaceRequest(5))
        #expect(throws: DrayError.self) { try allocator.reserve(1, SpaceRequest(6)) }
        #expect(throws: DrayError.self) { try allocator.skip(1) }
        try allocator.skip(0)
        #expect(throws: DrayError.self) { try allocator.reserve(0, SpaceRequest(5)) }
        #expect(throws: DrayError.self) { try allocator.reserve(2, SpaceRequest(.max)) }
    }

    @Test(arguments: [false, true])
    func `each range has its place in its own file, dense and the same again`(
        isOrdered: Bool
    ) throws {
        var generator = SeededGenerator(for: "allocator")
        let starts: [UInt64] = [1000, 1 << 32, 2 << 32, 3 << 32]
        let firsts = [0, 5, 6, 20]
        var allocator = Allocator(
            first: HostOffset(starts[0]),
            further: zip(firsts, starts).dropFirst().map {
                PayloadStart(range: $0, place: HostOffset($1))
            },
            count: 30,
            isOrdered: isOrdered
        )
        let order = (0..<30).shuffled(using: &generator)
        for index in order { try allocator.reserve(index, SpaceRequest(UInt64(index + 1))) }
        var ends: [Int: UInt64] = [:]
        for index in isOrdered ? Array(0..<30) : order {
            let file = firsts.lastIndex { $0 <= index } ?? 0
            #expect(allocator.place(index) == ends[file] ?? starts[file])
            ends[file] = (ends[file] ?? starts[file]) + UInt64(index + 1)
            try allocator.reserve(index, SpaceRequest(UInt64(index + 1)))
            #expect(throws: DrayError.self) { try allocator.reserve(index, SpaceRequest(99)) }
        }
    }
}
