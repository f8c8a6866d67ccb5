// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

extension JobState {
    /// Answers a range's question for a place. Every coordinator that reads the same results answers the same.
    mutating func sized(
        _ key: WorkUnit.Key,
        _ result: ResultMessage,
        _ bytes: UInt64,
        _ turn: inout Turn
    ) {
        renew(key, &turn)
        guard belongsToPlan(result, turn), allocator != nil else { return }
        do throws(DrayError) {
            _ = try allocator?.reserve(key.index, bytes)
        } catch {
            return error.kind == .bug ? alarm(error.message, &turn) : giveUp(key, error, &turn)
        }
        if units[key] == nil { lateAsks.insert(key.index) }
        isControlDue = true
    }
}
