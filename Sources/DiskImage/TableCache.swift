// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Keeps the mapping tables of an image that were used last, decoded, within a bound of memory.
///
/// Eight ways a set, or fewer where there is no room for them: finding, inserting and evicting cost the same whatever the number of tables (tables of 2 MiB leave room for 8, of 512 bytes
/// for 32 768).
final class TableCache: Sendable {
    private struct Slot {
        var offset: UInt64 = 0
        var lastUse: UInt64 = 0
        var words: [UInt64] = []
    }

    private struct State {
        var slots: [Slot]
        var clock: UInt64 = 0
    }

    private let ways: Int
    private let sets: Int
    private let tableBits: UInt64
    private let state: Mutex<State>

    /// A cache of at most `capacity` bytes (but always one table) of tables of 2^`tableBits` bytes.
    init(capacity: Int, tableBits: UInt32) {
        self.tableBits = UInt64(tableBits)
        let tables = max(1, capacity >> Int(tableBits))
        ways = min(8, tables)
        sets = tables / ways
        state = Mutex(State(slots: [Slot](repeating: Slot(), count: sets * ways)))
    }

    /// The table at `offset`, if it is here. No table is at offset 0, where the header is.
    func find(_ offset: UInt64) -> [UInt64]? {
        precondition(offset != 0, "offset 0 marks a slot without a table")
        let first = firstSlot(offset)
        return state.withLock { state in
            for index in first..<first + ways where state.slots[index].offset == offset {
                state.clock += 1
                state.slots[index].lastUse = state.clock
                return state.slots[index].words
            }
            return nil
        }
    }

    /// Keeps the table at `offset`, in place of the one of its set that was not used for longest.
    func insert(_ words: [UInt64], at offset: UInt64) {
        let first = firstSlot(offset)
        state.withLock { state in
            var oldest = first
            for index in first..<first + ways {
                if state.slots[index].offset == offset { return }
                if state.slots[index].lastUse < state.slots[oldest].lastUse { oldest = index }
            }
            state.clock += 1
            state.slots[oldest] = Slot(offset: offset, lastUse: state.clock, words: words)
        }
    }

    private func firstSlot(_ offset: UInt64) -> Int {
        Int((offset >> tableBits) % UInt64(sets)) * ways
    }
}
