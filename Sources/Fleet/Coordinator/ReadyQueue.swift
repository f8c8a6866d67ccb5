// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// Jobs that may have something to issue, each once, in turn.
///
/// Jobs that have begun go first, since what is finished needs no more memory; but every fifth turn is for one that is new, so that
/// it waits for no one's end.
struct ReadyQueue {
    private var begun = Lane()
    private var fresh = Lane()
    private var members: Set<String> = []
    private var turn = 0

    /// How many jobs are in it.
    var count: Int { members.count }

    mutating func add(_ job: String, isFresh: Bool) {
        guard members.insert(job).inserted else { return }
        if isFresh { fresh.add(job) } else { begun.add(job) }
    }

    mutating func pop() -> String? {
        turn += 1
        let isFreshTurn = turn % 5 == 0
        let job = isFreshTurn ? fresh.pop() ?? begun.pop() : begun.pop() ?? fresh.pop()
        if let job { members.remove(job) }
        return job
    }

    /// A queue in an array.
    private struct Lane {
        private var jobs: [String] = []
        private var head = 0

        mutating func add(_ job: String) { jobs.append(job) }

        mutating func pop() -> String? {
            guard head < jobs.count else { return nil }
            defer { head += 1 }
            if head > 64, head * 2 > jobs.count {
                jobs.removeFirst(head)
                head = 0
            }
            return jobs[head]
        }
    }
}
