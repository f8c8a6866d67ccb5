// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// Which job is due when: a binary heap. A job may be in it several times; early entries are harmless.
struct TimerQueue {
    private struct Entry {
        let time: Milliseconds
        let job: String
    }

    private var heap: [Entry] = []

    /// The earliest time, if any.
    var first: Milliseconds? { heap.first?.time }

    mutating func add(_ job: String, at time: Milliseconds) {
        heap.append(Entry(time: time, job: job))
        var child = heap.count - 1
        while child > 0, heap[child].time < heap[(child - 1) / 2].time {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// Takes out a job that is due at `now`.
    mutating func popDue(_ now: Milliseconds) -> String? {
        guard let top = heap.first, top.time <= now else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            sink()
        }
        return top.job
    }

    private mutating func sink() {
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < heap.count && heap[child].time < heap[least].time {
                least = child
            }
            if least == parent { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
