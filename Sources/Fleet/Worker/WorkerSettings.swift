// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// The limits and times that a worker goes by.
package struct WorkerSettings: Sendable {
    /// Names the worker in reports: no other worker that ever lived has the name.
    package var name: String
    /// How many steps run at once.
    package var slots: Int
    /// How many tasks beyond the running ones are taken in.
    package var prefetch: Int
    /// How many steps may wait for their places in targets beside those that run: while they wait, others use their slots.
    package var parking: Int
    /// How long a range waits for its place before it is handed back, to be run again when its place is known: those before it fail, say.
    package var parkingPatience: Milliseconds = 10_000
    /// The same where nothing else runs and a task lies here that cannot begin: it may be the one that is waited for.
    package var blockingPatience: Milliseconds = 1000
    /// After how long a size is reported again, when no place has come.
    package var resend: Milliseconds = 2000
    /// How often a run's progress is reported, which renews its lease.
    package var heartbeat: Milliseconds = 15_000
    /// How long a plan step may go on after it was last reported to run. From then on its job may have ended and been cleaned up, and its
    /// coordinator, whose lease is longer, may not look for what it makes.
    var planLease: Milliseconds { 3 * heartbeat }
    /// How long a task that must run alone waits for the running ones, and all others for it, before it is handed back.
    package var patience: Milliseconds = 30_000
    /// How often offsets are committed.
    package var commitInterval: Milliseconds = 500
    /// How long running steps may go on once the worker is told to leave.
    package var grace: Milliseconds = 25_000
    /// After how long a report that the log refused is sent again.
    package var republish: Milliseconds = 500

    /// The settings of a worker with so many slots.
    package init(name: String, slots: Int) {
        precondition(slots > 0, "a worker has at least one slot")
        self.name = name
        self.slots = slots
        prefetch = slots
        parking = slots
    }
}
