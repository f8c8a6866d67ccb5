// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import Conversion

/// A plan step makes the target, and a worker may be frozen before it does: until its job has ended and been cleaned up, say. So it makes
/// nothing after its lease, unless the log has a report of it since: of what it makes then its coordinator waits for the end.
extension WorkerState {
    /// Until when a step may go on that was reported to run at `time`. What other steps write late is refused by the target itself.
    func leaseEnd(_ run: WorkerRun, from time: Milliseconds) -> Milliseconds {
        run.task.step == .plan ? time + settings.planLease : .max
    }

    /// A report of a plan step's progress is in the log, or will never be.
    mutating func beatDelivered(_ beat: Beat, _ isDurable: Bool) {
        guard isDurable, let run = runs[beat.number], run.phase == .running else { return }
        actions.append(.renew(beat.number, until: leaseEnd(run, from: beat.time)))
    }
}

/// A report of a run's progress.
struct Beat {
    let number: RunNumber
    /// When it was made.
    let time: Milliseconds
}
