// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// A sum over everything that a row of the journal holds, stored beside it: SQLite checks how its pages hang together, not
/// what is in them. FNV-1a with 64 bits, which notices every change of one byte.
struct RecordSum {
    private var hash: UInt64 = 0xcbf2_9ce4_8422_2325

    /// The sum as SQLite stores it.
    var value: Int64 { Int64(bitPattern: hash) }

    /// The sum of a record.
    init(_ record: LogRecord, headers: [UInt8]) {
        add(record.topic)
        add(Int64(record.partition))
        add(record.offset)
        add(record.key)
        add(headers)
        add(record.value)
        add(record.timestamp)
    }

    /// The sum of how far a group has come.
    init(group: String, _ place: LogPosition) {
        add(group)
        add(place.partition.topic)
        add(Int64(place.partition.partition))
        add(place.offset)
        add(place.metadata)
    }

    private mutating func add(_ text: String) { add(Array(text.utf8)) }

    private mutating func add(_ number: Int64) {
        for shift in stride(from: 0, to: 64, by: 8) {
            mix(UInt8(truncatingIfNeeded: number >> shift))
        }
    }

    /// Adds bytes behind their length, so that none can move from one column to the next.
    private mutating func add(_ bytes: [UInt8]?) {
        guard let bytes else { return add(-1) }
        add(Int64(bytes.count))
        for byte in bytes { mix(byte) }
    }

    private mutating func mix(_ byte: UInt8) {
        hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
    }
}
