// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization
internal import TaskLog

/// What librdkafka has to say, to whoever wants to know: not more than some lines in some time.
final class KafkaLines: Sendable {
    /// How many lines pass in ``window``.
    static let limit = 20
    /// Milliseconds.
    static let window: Int64 = 10_000

    private struct State {
        var windowEnd: Int64 = 0
        var passed = 0
        var withheld = 0
    }

    private let state = Mutex(State())
    private let write: @Sendable (Int, String) -> Void

    init(_ write: @escaping @Sendable (Int, String) -> Void) { self.write = write }

    /// Passes a line on, with its level of syslog(3).
    func add(_ level: Int, _ text: String) {
        // Every handle warns of every property that is meant for another kind of handle.
        guard !text.hasPrefix("CONFWARN"), !text.contains("will be ignored by this") else { return }
        let now = LogClock.monotonicMilliseconds()
        let (passes, withheld) = state.withLock { state -> (Bool, Int) in
            var withheld = 0
            if now >= state.windowEnd {
                withheld = state.withheld
                state = State(windowEnd: now + Self.window)
            }
            guard state.passed < Self.limit else {
                state.withheld += 1
                return (false, 0)
            }
            state.passed += 1
            return (true, withheld)
        }
        if withheld > 0 { write(level, "\(withheld) lines of librdkafka were left out") }
        if passes { write(level, text) }
    }
}
