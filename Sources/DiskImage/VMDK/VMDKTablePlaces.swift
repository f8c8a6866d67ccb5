// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

/// Where the grain tables of an extent lie, noted in eight bytes for each stretch of neighbours.
///
/// Tables are added in any order, and any number of times; ``finish()`` then puts the stretches in order.
package struct VMDKTablePlaces: Sendable {
    /// How many stretches are noted, 16 MiB of them: the largest disk that VMware makes, 62 TiB, has fewer tables.
    package static let most = 1 << 21

    private static let countBits: UInt64 = 24
    /// The longest stretch in sectors: what is longer is several.
    private static let longest = (UInt64(1) << countBits) - 1

    /// Where the first table may be, in bytes.
    private let base: UInt64
    /// The space of a table in sectors.
    private let tableSectors: UInt64
    private let limit: Int
    /// The first sector behind `base`, and how many they are.
    private var stretches: [UInt64] = []
    /// The most stretches of ``shared``: with more, all are taken for shared.
    private static let mostShared = 64
    /// What more than one table has, as ``stretches``.
    private var shared: [UInt64] = []

    /// Places of tables that take `tableSize` bytes each and start at a multiple of 512 bytes behind `base`; `limit` stretches at most.
    package init(tableSize: UInt64, base: UInt64 = 0, limit: Int = most) {
        precondition(limit > 1, "there is room to put things in order")
        tableSectors = tableSize.dividedRoundingUp(by: VMDK.sector)
        self.base = base
        self.limit = limit
    }

    /// How many stretches there are.
    package var count: Int { stretches.count }
    /// The end of the last one in the file, in bytes; 0 where there is none. True once they are in order.
    package var end: UInt64 { stretches.last.map(upperBound) ?? 0 }

    /// Notes the table at `place`, a byte's offset. False where there are more stretches than can be noted.
    package mutating func add(_ place: UInt64) -> Bool {
        let first = (place - base) / VMDK.sector
        if let last = stretches.last, Self.end(last) == first,
            Self.sectors(last) + tableSectors <= Self.longest
        {
            stretches[stretches.count - 1] = last + tableSectors
            return true
        }
        // Sorting now and then keeps both the space and the time within bounds.
        if stretches.count >= limit + limit / 2, !finish() { return false }
        stretches.append(Self.stretch(first, tableSectors))
        return true
    }

    /// Puts the stretches in order, and apart. False where they are more than can be noted.
    package mutating func finish() -> Bool {
        stretches.sort()
        var kept = 0
        for index in stretches.indices {
            let stretch = stretches[index]
            guard kept > 0, Self.first(stretch) <= Self.end(stretches[kept - 1]) else {
                stretches[kept] = stretch
                kept += 1
                continue
            }
            let (first, end) = (Self.first(stretches[kept - 1]), Self.end(stretches[kept - 1]))
            noteShared(Self.first(stretch), min(end, Self.end(stretch)))
            let union = max(end, Self.end(stretch))
            guard union - first > Self.longest else {
                stretches[kept - 1] = Self.stretch(first, union - first)
                continue
            }
            guard union > end else { continue }
            stretches[kept] = Self.stretch(end, union - end)
            kept += 1
        }
        stretches.removeLast(stretches.count - kept)
        return kept <= limit
    }

    /// Whether two tables or more are in one place. Only once they are in order.
    package var hasShared: Bool { !shared.isEmpty }

    /// Whether the table at `place` shares a sector with another one. Only once they are in order.
    package func isShared(_ place: UInt64) -> Bool {
        guard hasShared, shared.count < Self.mostShared else { return hasShared }
        let first = (place - base) / VMDK.sector
        return shared.contains { Self.first($0) < first + tableSectors && first < Self.end($0) }
    }

    private mutating func noteShared(_ first: UInt64, _ end: UInt64) {
        guard first < end, shared.count < Self.mostShared else { return }
        shared.append(Self.stretch(first, end - first))
    }

    /// Whether a table has any of the `size` bytes from `start` on. Only once they are in order.
    package func overlaps(_ start: UInt64, _ size: UInt64) -> Bool {
        // The first stretch that does not end before.
        var (low, high) = (0, stretches.count)
        while low < high {
            let middle = (low + high) / 2
            if upperBound(stretches[middle]) <= start { low = middle + 1 } else { high = middle }
        }
        guard low < stretches.count else { return false }
        return base + Self.first(stretches[low]) * VMDK.sector < start + size
    }

    private func upperBound(_ stretch: UInt64) -> UInt64 { base + Self.end(stretch) * VMDK.sector }

    /// Sector numbers are below 2^40: they have 32 bits, or 38 in space-efficient extents.
    private static func stretch(_ first: UInt64, _ sectors: UInt64) -> UInt64 {
        first << countBits | sectors
    }

    private static func first(_ stretch: UInt64) -> UInt64 { stretch >> countBits }
    private static func sectors(_ stretch: UInt64) -> UInt64 { stretch & longest }
    private static func end(_ stretch: UInt64) -> UInt64 { first(stretch) + sectors(stretch) }
}
