// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Conversion

extension JobState {
    /// Answers a range's question for a place, at once or, where places are in guest order, when those before it have theirs. Every
    /// coordinator that reads the same results answers the same.
    mutating func sized(
        _ key: WorkUnit.Key,
        _ result: ResultMessage,
        _ space: SpaceRequest,
        _ turn: inout Turn
    ) {
        renew(key, &turn)
        guard belongsToPlan(result, turn), allocator != nil else { return }
        place(key, &turn) { allocator throws(DrayError) in
            try allocator.reserve(key.index, space)
        }
        if units[key] == nil { lateAsks.insert(key.index) }
        if allocator?.place(key.index) != nil { isControlDue = true }
    }

    /// A range has ended without a place: those behind it need not wait for it.
    mutating func needsNoPlace(_ key: WorkUnit.Key, _ turn: inout Turn) {
        let before = allocator?.waitingCount
        place(key, &turn) { allocator throws(DrayError) in try allocator.skip(key.index) }
        if allocator?.waitingCount != before { isControlDue = true }
    }

    /// Whether range `index` has said what place it needs and must not be issued before it can have that.
    func awaitsPlace(_ key: WorkUnit.Key) -> Bool {
        key.step == .range && allocator?.isWaiting(key.index) == true
    }

    /// Whether a range that was never issued would have to wait for so many others that it had better not begin.
    func isTooFarAhead(_ index: Int, window: Int) -> Bool {
        guard let allocator else { return false }
        return index > allocator.front && allocator.waitingCount >= window
    }

    private mutating func place(
        _ key: WorkUnit.Key,
        _ turn: inout Turn,
        _ change: (inout Allocator) throws(DrayError) -> Void
    ) {
        guard var changed = allocator else { return }
        // One owner at a time: the allocator's arrays must not be copied.
        allocator = nil
        defer { allocator = changed }
        do throws(DrayError) {
            try change(&changed)
        } catch {
            if error.kind == .bug { alarm(error.message, &turn) } else { giveUp(key, error, &turn) }
        }
    }
}
