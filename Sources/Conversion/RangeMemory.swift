// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage

/// What each range of a job needs of the process's memory while it is worked on: a loan of the ``MemoryBudget``.
struct RangeMemory: Sendable {
    /// The buffer that is part of it, in bytes.
    let bufferSize: Int
    /// All of it, in bytes.
    let bytes: Int

    /// For what has no other buffer: bytes that O_DIRECT wants elsewhere, a backing image's that are hashed.
    private static let spare = 2 * UnitSize.chunk

    /// Of ranges of `rangeSize` bytes, which are read from `disk`, and of a comparison from `other` too, and written as `placement` says.
    init(_ disk: SourceDisk, _ other: SourceDisk?, _ placement: Placement?, rangeSize: UInt64) {
        var more = Self.spare + disk.readingMemory
        switch placement {
        case .packed(let packing):
            bufferSize = PackedRange.bufferSize(packing, rangeSize: rangeSize)
            more += packing.encoderMemory + GranuleWalk.step(granule: packing.rules.granule)
        case .allocated: bufferSize = Int(rangeSize)
        case .identity, nil:
            bufferSize = UnitSize.chunk
            if let other { more += UnitSize.chunk + other.readingMemory }
        }
        bytes = bufferSize + more
    }

    /// Lends it to who has applied for it. This may wait, and calls `pulse` meanwhile.
    func lend(to application: MemoryApplication, _ pulse: Pulse) throws(DrayError) -> MemoryLoan {
        try application.lend(bytes, bufferSize: bufferSize) { () throws(DrayError) in
            try pulse.beat()
        }
    }
}
