// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// Where places are given in guest order, a range may wait for one that was begun later than itself: tried again after a failure, say, and
/// queued behind it. So nobody waits for ever: a range that has waited long is handed back. Its coordinator knows its size by then
/// and issues it again when its place is known.
extension WorkerState {
    /// Stops runs that have waited for their places too long; they end as cancelled.
    mutating func handBack(_ now: Milliseconds) {
        guard nextHandBack <= now else { return }
        let patience = parkingPatience
        for (number, run) in inOrder
        where run.isParked && !run.isStopping && run.wantedSince + patience <= now {
            stop(number)
        }
    }

    /// When the next run is to be handed back.
    var nextHandBack: Milliseconds {
        var first = Milliseconds.max
        for run in runs.values where run.isParked && !run.isStopping {
            first = min(first, run.wantedSince)
        }
        return first == .max ? .max : first + parkingPatience
    }

    private var parkingPatience: Milliseconds {
        let isBlocking = !waiting.isEmpty && !runs.values.contains(where: \.isWorking)
        return isBlocking
            ? min(settings.blockingPatience, settings.parkingPatience) : settings.parkingPatience
    }
}

extension WorkerRun {
    /// Whether a slot works on it, or is about to.
    fileprivate var isWorking: Bool {
        phase == .announced || phase == .cleaning || (phase == .running && !isParked)
    }
}
