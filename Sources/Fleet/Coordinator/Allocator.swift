// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
package import Conversion

/// Gives the ranges of a job their places in the target, dense: in the order in which their sizes are reported, or in guest order.
///
/// A target of several files has several stretches of places: each range has its place in the one that was begun last before it.
///
/// The order is that of the records of `results`, so every coordinator that reads them gives the same places,
/// and a retry gets the same answer. In guest order the places do not depend on anything but the sizes.
package struct Allocator: Sendable {
    /// The first range of each stretch of places, in order, and where the next place in it starts.
    private var stretches: [(firstRange: Int, next: UInt64)]
    /// In guest order: the first range of which it is not known what it needs. All before it have their places or need none.
    package private(set) var front = 0
    private let isOrdered: Bool
    private var waiting: [Int: SpaceRequest] = [:]
    private var offsets: [UInt64]
    private var sizes: [UInt64]
    private static let none = UInt64.max

    /// An allocator for `count` ranges that begins at `first`, and anew with each of `further`, which are in order.
    package init(
        first: HostOffset,
        further: [PayloadStart] = [],
        count: Int,
        isOrdered: Bool = false
    ) {
        stretches = [(0, first.bytes)] + further.map { ($0.range, $0.place.bytes) }
        self.isOrdered = isOrdered
        offsets = Array(repeating: Self.none, count: count)
        sizes = Array(repeating: Self.none, count: count)
        // Whatever the only range needs, it has its place: so it need not ask.
        if count == 1 { offsets[0] = stretches[stretch(of: 0)].next }
    }

    /// The place of a range, if it has one.
    package func place(_ index: Int) -> UInt64? {
        offsets[index] == Self.none ? nil : offsets[index]
    }

    /// Whether a range has asked and has to wait for others before it.
    package func isWaiting(_ index: Int) -> Bool { waiting[index] != nil }

    /// How many ranges wait for others.
    package var waitingCount: Int { waiting.count }

    /// Takes note that range `index` needs `space`, and gives it its place as soon as may be. Fails with `bug` where the range had asked for
    /// another size, and with `unsupported` where the target would be too long.
    package mutating func reserve(_ index: Int, _ space: SpaceRequest) throws(DrayError) {
        guard sizes[index] == Self.none else { return try check(index, space.total) }
        guard space.isValid else { throw Self.tooLong }
        guard isOrdered else { return try give(index, space) }
        // What is known already is kept also where a place cannot be given: it is asked for again.
        waiting[index] = space
        sizes[index] = space.total
        try giveInOrder()
    }

    /// Takes note that range `index` needs no place. Fails with `bug` where it had asked for one.
    package mutating func skip(_ index: Int) throws(DrayError) {
        guard isOrdered else { return }
        guard sizes[index] == Self.none else { return try check(index, 0) }
        sizes[index] = 0
        try giveInOrder()
    }

    private mutating func giveInOrder() throws(DrayError) {
        while front < sizes.count, sizes[front] != Self.none {
            if let space = waiting.removeValue(forKey: front) { try give(front, space) }
            front += 1
        }
    }

    private mutating func give(_ index: Int, _ space: SpaceRequest) throws(DrayError) {
        let stretch = stretch(of: index)
        guard let (start, end) = space.place(from: stretches[stretch].next),
            end <= UInt64(Int64.max)
        else { throw Self.tooLong }
        offsets[index] = start
        sizes[index] = space.total
        stretches[stretch].next = end
    }

    /// The last stretch that begins with range `index` or before it.
    private func stretch(of index: Int) -> Int {
        var low = 0
        var high = stretches.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if stretches[middle].firstRange <= index { low = middle } else { high = middle }
        }
        return low
    }

    private static let tooLong = DrayError(
        .unsupported,
        "the target would be longer than 2^63 - 1 bytes"
    )

    private func check(_ index: Int, _ bytes: UInt64) throws(DrayError) {
        guard sizes[index] != bytes else { return }
        throw DrayError(.bug, "range \(index) took \(sizes[index]) bytes before and \(bytes) now")
    }
}
