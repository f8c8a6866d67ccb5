// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import Fleet

/// A job's target: which range's bytes are where, and whether the gate is open.
struct SimulatedTarget {
    /// A stretch of bytes that one range wrote.
    struct Stretch: Hashable {
        let index: Int
        let length: UInt64
    }

    private(set) var stretches: [UInt64: Stretch] = [:]
    private(set) var isSealed = false
    private(set) var isRemoved = false
    /// Writes that came after the end and were let through.
    private(set) var lateWrites = 0

    /// Whether a plan that came too late made a staging file that is still there.
    private(set) var hasLeftover = false

    /// Makes the staging file; what was there and has ended is not remembered.
    mutating func plan() {
        if isSealed || isRemoved { hasLeftover = true }
    }

    /// Writes a range's bytes; false where the gate is shut.
    mutating func write(_ index: Int, at offset: UInt64, _ length: UInt64, isGated: Bool) -> Bool {
        if isSealed || isRemoved {
            if isGated { return false }
            lateWrites += 1
        }
        stretches[offset] = Stretch(index: index, length: length)
        return true
    }

    /// Shuts the gate and gives the target its name; false where it was removed.
    mutating func seal() -> Bool {
        guard !isRemoved else { return false }
        isSealed = true
        return true
    }

    /// Shuts the gate and removes the staging file; what is sealed stays.
    mutating func remove() {
        hasLeftover = false
        if !isSealed { isRemoved = true }
    }

    /// Whether every range's bytes are where the sealer's tables say, and nothing lies across anything else.
    func isWhole(_ places: [Int: UInt64], length: (Int) -> UInt64) -> Bool {
        var end: UInt64 = 0
        for (index, offset) in places.sorted(by: { $0.value < $1.value }) {
            guard offset >= end else { return false }
            guard stretches[offset] == Stretch(index: index, length: length(index)) else {
                return false
            }
            end = offset + length(index)
        }
        for (offset, stretch) in stretches {
            for other in stretches
            where other.key > offset && other.key < offset + stretch.length {
                return false
            }
        }
        return true
    }
}
