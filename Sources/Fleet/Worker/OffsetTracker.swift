// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import TaskLog

/// Which records of a partition are done: all before ``base``, and of those behind it all but a few.
///
/// Tasks end in any order, but a commit names one offset; which records between it and the newest one are still open rides
/// in the commit's metadata, so that a member that takes the partition over does not do the others again.
package struct OffsetTracker: Sendable {
    /// The most bytes of metadata: Kafka takes 4096.
    package static let largestMetadata = 4000
    /// How many records may lie between the oldest open one and the newest.
    package static let largestSpan: Int64 = 100_000

    /// The partition.
    package let partition: PartitionID
    /// The offset behind the newest record that was taken.
    private var next: Int64
    /// Records that are taken and not done, ascending. As many as a worker has credits.
    private var open: [Int64] = []
    /// Records behind the commit that were open when another member left them; those it does not list are done.
    private var inherited: (end: Int64, open: Set<Int64>)?
    private var committed: LogPosition

    /// Goes on from a committed place. Metadata that cannot be read counts as none: some tasks are done again.
    package init(_ place: LogPosition) {
        partition = place.partition
        next = place.offset
        committed = place
        inherited = Self.decode(place)
    }

    /// The first record that is not done.
    package var base: Int64 { open.first ?? next }

    /// Whether more records may be taken.
    package var hasRoom: Bool { next - base < Self.largestSpan }

    /// Takes a record. Says false where it is done already or was taken before.
    package mutating func take(_ offset: Int64) -> Bool {
        guard offset >= next else { return false }
        next = offset + 1
        if let inherited, offset < inherited.end, !inherited.open.contains(offset) { return false }
        open.append(offset)
        return true
    }

    /// Notes that a record is done.
    package mutating func finish(_ offset: Int64) {
        open.removeAll { $0 == offset }
    }

    /// What to commit, where that has changed since the last call.
    package mutating func commit() -> LogPosition? {
        let place = LogPosition(partition, offset: base, metadata: encode())
        guard place != committed else { return nil }
        committed = place
        return place
    }

    /// `1:` the distance from the commit to the end of what is known, then the distances of the open records from it.
    private func encode() -> String {
        guard var first = open.first, open.count > 1 || next > first + 1 else { return "" }
        let base = first
        var text = ""
        var end = next
        for offset in open.dropFirst() {
            if text.utf8.count > Self.largestMetadata - 32 {
                end = offset
                break
            }
            text += ",\(offset - first)"
            first = offset
        }
        return "1:\(end - base)" + text
    }

    private static func decode(_ place: LogPosition) -> (end: Int64, open: Set<Int64>)? {
        guard place.metadata.hasPrefix("1:"), place.metadata.utf8.count <= largestMetadata else {
            return nil
        }
        let numbers = place.metadata.dropFirst(2).split(separator: ",").map { Int64($0) }
        guard let length = numbers.first ?? nil, (0...largestSpan * 2).contains(length) else {
            return nil
        }
        var open: Set<Int64> = [place.offset]
        var offset = place.offset
        for number in numbers.dropFirst() {
            guard let number, (1...length).contains(number) else { return nil }
            offset += number
            open.insert(offset)
        }
        return (place.offset + length, open)
    }
}
