// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

/// The places from which a stream is decoded again: about one before each multiple of a spacing, which grows with the stream so that
/// the number stays bounded. The stream's start is always one.
package struct RestartPoints: Sendable {
    /// A place in the stream.
    package struct Point: Sendable {
        /// Where the decoded bytes go on.
        package let guest: UInt64
        /// How to begin there.
        package let state: StreamRestart
    }

    /// The spacing of a short stream: the usual size of a range, so that a range begins where a point is.
    static let firstSpacing: UInt64 = 16 << 20
    /// What one of gzip holds, in bytes.
    package static let windowSize = 32 << 10
    /// How many points there are at most.
    let limit: Int
    package private(set) var points = [Point(guest: 0, state: .unit(0))]
    private var spacing = firstSpacing
    /// The last place that was offered before the next multiple of the spacing.
    private var candidate: Point?

    /// The stream's start alone.
    package init(limit: Int = 256) { self.limit = limit }

    /// How much memory they take besides windows, in bytes.
    var placeMemory: Int { points.capacity * MemoryLayout<Point>.stride }

    /// How much memory their windows take, in bytes.
    var windowMemory: Int { points.count * Self.windowSize }

    /// Whether a place at `guest` might become a point, so that it is worth looking for one.
    func wants(_ guest: UInt64) -> Bool { guest + (2 << 20) >= nextMultiple }

    /// Takes note of a place behind all others.
    package mutating func offer(_ guest: UInt64, _ state: @autoclosure () -> StreamRestart?) {
        guard wants(guest), guest > last.guest, let state = state() else { return }
        if guest > nextMultiple, let known = candidate {
            candidate = nil
            add(known)
        }
        let point = Point(guest: guest, state: state)
        if guest > nextMultiple { add(point) } else if wants(guest) { candidate = point }
    }

    /// The last point at `guest` or before.
    package func point(before guest: UInt64) -> Point {
        var low = 0
        var high = points.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if points[middle].guest <= guest { low = middle } else { high = middle }
        }
        return points[low]
    }

    private var last: Point { points[points.count - 1] }

    /// The multiple of the spacing that the next point is wanted for.
    private var nextMultiple: UInt64 { (last.guest + (spacing >> 3)) / spacing * spacing + spacing }

    private mutating func add(_ point: Point) {
        points.append(point)
        guard points.count > limit else { return }
        spacing *= 2
        var kept = [points[0]]
        for (index, point) in points.enumerated().dropFirst() {
            // The last before each multiple, and the newest.
            let isLast = index + 1 == points.count
            let next = isLast ? UInt64.max : (points[index + 1].guest - 1) / spacing
            if isLast || next > (point.guest - 1) / spacing { kept.append(point) }
        }
        points = kept
    }
}
