// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

extension CoordinatorState {
    /// Meets deadlines, issues tasks, sends control records, and forgets jobs that have ended.
    mutating func tick(_ turn: inout Turn) {
        while let id = timers.popDue(turn.now) {
            guard let place = jobs.index(forKey: id) else { continue }
            jobs.values[place].timer = .max
            jobs.values[place].expire(&turn)
            countOut(jobs.values[place].record.priority, &turn)
            if jobs.values[place].isControlDue { controlDue.insert(id) }
            schedule(id, turn)
            makeReady(id)
        }
        issueAll(&turn)
        for id in controlDue.sorted() { control(id, &turn) }
        controlDue = []
        // After jobs were forgotten: from then on nobody reads again what these clean-ups follow from.
        cleanUpLate(&turn)
    }

    /// Books what a job's tasks have changed.
    mutating func countOut(_ priority: JobPriority, _ turn: inout Turn) {
        classes[priority.rank].book(&turn)
    }

    private mutating func issueAll(_ turn: inout Turn) {
        for rank in classes.indices { issueAll(rank, &turn) }
    }

    /// Jobs take turns, each with as many tasks as its weight, while the window has room. Jobs that have nothing out get a first task
    /// beyond the window too, until that is full twice: they do not wait until others' tasks are done.
    private mutating func issueAll(_ rank: Int, _ turn: inout Turn) {
        var remaining = classes[rank].ready.count
        var postponed: [String] = []
        while remaining > 0, hasRoom(rank, forMore: 2), let id = classes[rank].ready.pop() {
            remaining -= 1
            guard let place = jobs.index(forKey: id) else { continue }
            if partitions[jobs.values[place].partition]?.isReplaying ?? false {
                postponed.append(id)
                continue
            }
            let weight = jobs.values[place].record.weight
            switch issue(place, rank, weight, &turn) {
            case .turnIsOver:
                makeReady(id)
                remaining += 1
            case .windowIsFull: postponed.append(id)
            case .nothingToDo: break
            }
            schedule(id, turn)
        }
        for id in postponed { makeReady(id) }
    }

    /// Whether the window has room, or one that many times as large.
    private func hasRoom(_ rank: Int, forMore times: Int = 1) -> Bool {
        classes[rank].outCount < times * classes[rank].window(settings)
    }

    /// Why a job's turn ended.
    private enum Issued {
        case turnIsOver
        case windowIsFull
        case nothingToDo
    }

    /// Issues up to `most` tasks of one job.
    private mutating func issue(
        _ place: Dictionary<String, JobState>.Index,
        _ rank: Int,
        _ most: Int,
        _ turn: inout Turn
    ) -> Issued {
        for _ in 0..<most {
            let isPoor = jobs.values[place].outCount < settings.smallestWindow
            guard hasRoom(rank) || (isPoor && hasRoom(rank, forMore: 2)) else {
                return .windowIsFull
            }
            let share = classes[rank].share(weight: most, settings)
            guard jobs.values[place].issueNext(window: share, to: &classes[rank], &turn) else {
                return .nothingToDo
            }
            classes[rank].book(&turn)
        }
        return .turnIsOver
    }

    /// Gives a job a turn.
    mutating func makeReady(_ id: String) {
        guard let place = jobs.index(forKey: id) else { return }
        let rank = jobs.values[place].record.priority.rank
        classes[rank].ready.add(id, isFresh: jobs.values[place].isFresh)
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
        // While the past is told nothing is said of it: what is due then is due when that is over.
        guard let place = jobs.index(forKey: id), !jobs.values[place].isReplaying else { return }
        // It stays due until the record of its epoch is durable, which not every change of it has written.
        let epoch = jobs.values[place].record.epoch
        guard jobs.values[place].durableEpoch >= epoch else {
            guard jobs.values[place].claimedEpoch < epoch else { return }
            jobs.values[place].claimedEpoch = epoch
            return turn.actions.append(.record(jobs.values[place].record))
        }
        turn.actions.append(.control(jobs.values[place].controlRecord()))
        if jobs.values[place].isEndRecorded { forget(id) }
    }

    /// Drops a job that has ended or is someone else's.
    mutating func forget(_ id: String) {
        guard let job = jobs.removeValue(forKey: id) else { return }
        let rank = job.record.priority.rank
        classes[rank].weights -= job.record.weight
        for unit in job.units.values { classes[rank].drop(unit) }
        guard job.record.state.isEnd else { return }
        remember(job.record)
        if let cleaning = job.lateCleaning { late[id] = cleaning }
    }
}
