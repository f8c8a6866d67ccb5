// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import Fleet

/// What happens when, in simulated time: a binary heap of closures, in order of time and then of insertion.
struct SimulatedTime {
    private struct Entry {
        let time: Milliseconds
        let number: Int
        let body: () -> Void

        static func < (a: Self, b: Self) -> Bool {
            a.time != b.time ? a.time < b.time : a.number < b.number
        }
    }

    private(set) var now: Milliseconds = 0
    private(set) var steps = 0
    private var heap: [Entry] = []
    private var count = 0

    mutating func at(_ time: Milliseconds, _ body: @escaping () -> Void) {
        count += 1
        heap.append(Entry(time: max(time, now), number: count, body: body))
        var child = heap.count - 1
        while child > 0, heap[child] < heap[(child - 1) / 2] {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// Takes out what happens next, if it does so before `end`.
    mutating func next(before end: Milliseconds) -> (() -> Void)? {
        guard let first = heap.first, first.time < end else { return nil }
        now = first.time
        steps += 1
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            var parent = 0
            while true {
                var least = parent
                for child in [2 * parent + 1, 2 * parent + 2]
                where child < heap.count && heap[child] < heap[least] { least = child }
                if least == parent { break }
                heap.swapAt(parent, least)
                parent = least
            }
        }
        return first.body
    }
}
