// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// How long somebody has waited without any change.
struct StreamPatience {
    /// How long a reader waits for others of its stream.
    private static let withReaders = Duration.seconds(2)
    /// How long somebody waits for other streams.
    private static let withStreams = Duration.seconds(10)

    private var since = ContinuousClock.now
    private var changes = -1
    private var activity = -1

    /// Whether a reader that got this `turn` has waited long enough, where its stream has changed so often; and other streams,
    /// for which it may have to wait.
    mutating func isOver(_ turn: StreamState.Turn, changes: Int, activity: Int) -> Bool {
        let isQueued = if case .waitForRoom = turn { true } else { false }
        if changes != self.changes || isQueued && activity != self.activity { since = .now }
        self.changes = changes
        self.activity = activity
        return ContinuousClock.now - since >= (isQueued ? Self.withStreams : Self.withReaders)
    }

    /// The same for who has no stream yet.
    mutating func isOver(activity: Int) -> Bool {
        isOver(.waitForRoom, changes: changes, activity: activity)
    }
}
