// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// Jobs that may have something to issue, each once, in turn.
struct ReadyQueue {
    private var queue: [String] = []
    private var head = 0
    private var members: Set<String> = []

    /// How many jobs are in it.
    var count: Int { members.count }

    mutating func add(_ job: String) {
        if members.insert(job).inserted { queue.append(job) }
    }

    mutating func pop() -> String? {
        guard head < queue.count else { return nil }
        let job = queue[head]
        head += 1
        if head > 64, head * 2 > queue.count {
            queue.removeFirst(head)
            head = 0
        }
        members.remove(job)
        return job
    }
}
