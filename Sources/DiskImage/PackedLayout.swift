// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

/// Where the clusters of a packed range lie: those that are stored as they are at multiples of their size, one behind the other, and
/// the streams without gaps, both in guest order. Where the range's place begins at a multiple of that size the streams come behind, else in front.
///
/// Where few may share a cluster of the file, a stream that would be one too many begins at the next. Ranges share clusters too: there the lowest
/// bits of a place say how many streams before it have a part in the cluster that it begins in, as many bits as a reference count has. At a
/// multiple of the cluster size they are 0, and so is that number. It costs a range less than 256 bytes.
package struct PackedLayout: Sendable, Hashable {
    /// Where the range's place begins.
    package let start: UInt64
    /// Bytes of the clusters that are stored as they are.
    package let plainLength: UInt64
    /// Bytes of all streams, without the gaps between them.
    package let streamLength: UInt64
    /// The first byte behind all clusters.
    package let payloadEnd: UInt64
    /// Where the next range's place may begin.
    package let end: UInt64
    private let clusterSize: UInt64
    private var plain: UInt64
    private var streams: StreamPlaces

    /// The layout of all clusters of `lengths`, if all before `next` is taken. That leaves room for the largest range before 2^63.
    package init(_ lengths: StoredLengths, _ rules: Allocation, from next: UInt64) {
        self.init(
            lengths,
            clusterSize: rules.clusterSize,
            mostShared: rules.mostShared,
            from: next
        )
    }

    /// The same for clusters of a size, of which at most `mostShared` streams may share one; no limit, or 1, 3, 15 or 255.
    package init(
        _ lengths: StoredLengths,
        clusterSize: UInt64,
        mostShared: UInt64,
        from next: UInt64
    ) {
        self.clusterSize = clusterSize
        (plainLength, streamLength) = lengths.sums(clusterSize: clusterSize)
        let border = next.dividedRoundingUp(by: clusterSize) * clusterSize
        start = streamLength == 0 && plainLength > 0 ? border : next
        let isPlainFirst = plainLength == 0 || start == border
        streams = StreamPlaces(
            isPlainFirst ? start + plainLength : start,
            clusterSize: clusterSize,
            mostShared: mostShared
        )
        var behind = streams
        behind.add(all: lengths, streamLength)
        plain =
            isPlainFirst
            ? start : behind.next.dividedRoundingUp(by: clusterSize) * clusterSize
        payloadEnd = isPlainFirst ? behind.next : plain + plainLength
        end = isPlainFirst ? behind.nextRange : payloadEnd
    }

    /// Where the next cluster lies; `length` is 0 where it is stored as it is. To be asked for each of the lengths, in order.
    package mutating func place(_ length: UInt64) -> UInt64 {
        guard length == 0 else { return streams.add(length) }
        defer { plain += clusterSize }
        return plain
    }

    /// The first byte behind the streams that were asked for.
    package var streamEnd: UInt64 { streams.next }
}

/// The places of streams one behind the other.
private struct StreamPlaces: Hashable {
    /// The first byte behind all streams so far.
    private(set) var next: UInt64
    private let clusterSize: UInt64
    private let mostShared: UInt64
    /// How many streams have a part in the cluster of the file that the next one may begin in.
    private var sharing: UInt64

    init(_ start: UInt64, clusterSize: UInt64, mostShared: UInt64) {
        next = start
        self.clusterSize = clusterSize
        self.mostShared = mostShared
        sharing = mostShared == .max || start % clusterSize == 0 ? 0 : start & mostShared
    }

    mutating func add(_ length: UInt64) -> UInt64 {
        guard mostShared < .max else {
            defer { next += length }
            return next
        }
        if sharing == mostShared {
            next = border
            sharing = 0
        }
        let start = next
        next += length
        if next % clusterSize == 0 {
            sharing = 0
        } else {
            sharing = start / clusterSize == next / clusterSize ? sharing + 1 : 1
        }
        return start
    }

    /// Adds the streams among `lengths`, which are `total` bytes.
    mutating func add(all lengths: StoredLengths, _ total: UInt64) {
        guard mostShared < .max else {
            next += total
            return
        }
        var iterator = lengths.makeIterator()
        while let length = iterator.next() {
            if length > 0 { _ = add(length) }
        }
    }

    /// The first place whose lowest bits say what the next range has to know.
    var nextRange: UInt64 {
        guard mostShared < .max, next % clusterSize != 0 else { return next }
        let place = next + ((sharing &- next) & mostShared)
        return sharing < mostShared && place < border ? place : border
    }

    private var border: UInt64 { next.dividedRoundingUp(by: clusterSize) * clusterSize }
}

extension StoredLengths {
    /// The bytes of the clusters that are stored as they are, and of the streams.
    package func sums(clusterSize: UInt64) -> (plain: UInt64, streams: UInt64) {
        var sums: (plain: UInt64, streams: UInt64) = (0, 0)
        var iterator = makeIterator()
        while let length = iterator.next() {
            if length == 0 { sums.plain += clusterSize } else { sums.streams += length }
        }
        return sums
    }
}
