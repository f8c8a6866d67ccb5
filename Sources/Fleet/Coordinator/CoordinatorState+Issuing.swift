// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

extension CoordinatorState {
    /// Meets deadlines, issues tasks, sends control records, and forgets jobs that have ended.
    mutating func tick(_ turn: inout Turn) {
        while let id = timers.popDue(turn.now) {
            guard let place = jobs.index(forKey: id) else { continue }
            jobs.values[place].timer = .max
            jobs.values[place].expire(&turn)
            countOut(&turn)
            if jobs.values[place].isControlDue { controlDue.insert(id) }
            schedule(id, turn)
            ready.add(id)
        }
        issueAll(&turn)
        for id in controlDue.sorted() { control(id, &turn) }
        controlDue = []
    }

    /// Books what a job's tasks have changed.
    mutating func countOut(_ turn: inout Turn) {
        for (partition, change) in turn.outChanges {
            outByPartition[partition] += change
            outCount += change
        }
        turn.outChanges = [:]
    }

    /// Jobs take turns, each with as many tasks as its weight, while the window has room.
    private mutating func issueAll(_ turn: inout Turn) {
        var remaining = ready.count
        var postponed: [String] = []
        while remaining > 0, outCount < settings.window, let id = ready.pop() {
            remaining -= 1
            guard let place = jobs.index(forKey: id) else { continue }
            if partitions[jobs.values[place].partition]?.isReplaying ?? false {
                postponed.append(id)
                continue
            }
            let weight = jobs.values[place].record.weight
            let share = max(settings.smallestWindow, settings.window * weight / max(weights, 1))
            var count = 0
            while count < weight, outCount < settings.window,
                jobs.values[place].issueNext(
                    window: share,
                    partition: leastLoadedPartition(),
                    &turn
                )
            {
                count += 1
                countOut(&turn)
            }
            if count == weight {
                ready.add(id)
                remaining += 1
            }
            schedule(id, turn)
        }
        for id in postponed { ready.add(id) }
    }

    private func leastLoadedPartition() -> Int {
        outByPartition.indices.min { outByPartition[$0] < outByPartition[$1] } ?? 0
    }

    private mutating func schedule(_ id: String, _ turn: Turn) {
        guard let place = jobs.index(forKey: id) else { return }
        let time = jobs.values[place].nextTimer(after: turn.now)
        guard time < jobs.values[place].timer else { return }
        let due = max(time, turn.now + 1)
        jobs.values[place].timer = due
        timers.add(id, at: due)
    }

    private mutating func control(_ id: String, _ turn: inout Turn) {
        guard let place = jobs.index(forKey: id) else { return }
        turn.actions.append(.control(jobs.values[place].controlRecord()))
        if jobs.values[place].isEndRecorded { forget(id) }
    }

    /// Drops a job that has ended or is someone else's.
    mutating func forget(_ id: String) {
        guard let job = jobs.removeValue(forKey: id) else { return }
        weights -= job.record.weight
        for unit in job.units.values where unit.isOut {
            outByPartition[unit.partition] -= 1
            outCount -= 1
        }
        if job.record.state.isEnd { remember(job.record) }
    }
}
