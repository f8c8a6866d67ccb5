// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import DiskImage
internal import Testing

/// Parts of the memory that a process keeps while images are open.
@Suite struct AllotmentTests {
    private let pool = Allotment.Pool(room: 1000, most: 200, least: 50, last: 10)

    @Test func `the first get much and the later ones less, but all get something`() {
        let parts = (0..<20).map { _ in Allotment(of: pool) }
        #expect(parts.map(\.bytes).prefix(6) == [200, 200, 150, 112, 84, 63])
        #expect(
            parts.map(\.bytes).suffix(14) == [50, 50, 50, 50] + Array(repeating: 10, count: 10)
        )
    }

    @Test func `what one gives back or does not need is there for the next`() {
        var kept = [Allotment(of: pool), Allotment(of: pool)]
        #expect(Allotment(of: pool).bytes == 150)
        kept[1].shrink(to: 100)
        #expect(Allotment(of: pool).bytes == 175)
        kept[1].shrink(to: 0)
        #expect(Allotment(of: pool).bytes == 200)
        kept.removeFirst()
        let all = (0..<6).map { _ in Allotment(of: pool) }
        #expect(all.map(\.bytes) == [200, 200, 150, 112, 84, 63] && kept.count == 1)
    }

    @Test func `a thousand gzip streams have windows of less than 200 MiB`() {
        let parts = (0..<1000).map { _ in Allotment(of: .windows) }
        #expect(parts.reduce(0) { $0 + $1.bytes } < 200 << 20)
        #expect(parts.allSatisfy { $0.bytes >= 3 * RestartPoints.windowSize })
    }
}
