// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import TaskLog

/// How a service starts afresh when the log failed under it: with a pause that doubles from failure to failure.
package struct RestartPolicy: Sendable, Hashable {
    /// The first pause.
    package var first: Milliseconds
    /// What the pause may grow to.
    package var longest: Milliseconds

    /// Makes a policy.
    package init(first: Milliseconds = 1000, longest: Milliseconds = 30_000) {
        self.first = first
        self.longest = longest
    }
}

/// The pauses of one service, one after the other.
struct RestartPauses {
    let policy: RestartPolicy
    private var last: Milliseconds = 0
    private var lastStart = LogClock.monotonicMilliseconds()

    init(_ policy: RestartPolicy) { self.policy = policy }

    /// How long to wait now. Whoever ran for a while begins with the first pause again.
    mutating func next() -> Milliseconds {
        let now = LogClock.monotonicMilliseconds()
        if now - lastStart > 2 * policy.longest { last = 0 }
        last = min(max(policy.first, last * 2), policy.longest)
        lastStart = now + last
        return last
    }
}
