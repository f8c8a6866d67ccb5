// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import Conversion
internal import TaskLog

extension JobState {
    /// Puts out at most one step, if there is one to do and `window` leaves room. Says whether it did.
    mutating func issueNext(
        window: Int,
        to tasks: inout TaskClass,
        _ turn: inout Turn
    ) -> Bool {
        guard isRecorded, outCount < window, let key = nextUnit(window: window, turn) else {
            return false
        }
        let stuck = units[key].flatMap { $0.expiries > 0 ? $0.partition : nil }
        let partition = tasks.leastLoaded(avoiding: stuck)
        issue(key, to: PartitionID(tasks.topic, partition), &turn)
        return true
    }

    /// When something is to be done without further news. What could be done now already waits for news of another kind.
    func nextTimer(after now: Milliseconds) -> Milliseconds {
        var first = Milliseconds.max
        if !isRunning, let end = foreignRuns.awaited(now) { first = end }
        if !isRunning, !hasDiscard { return outCount > 0 ? drainDeadline : first }
        for unit in units.values {
            let time = unit.isOut ? unit.deadline : unit.notBefore
            if unit.isOut || time > now { first = min(first, time) }
        }
        return first
    }

    /// Meets the deadlines that have passed.
    mutating func expire(_ turn: inout Turn) {
        if !isRunning, !hasDiscard {
            guard turn.now >= drainDeadline else { return }
            for key in Array(units.keys) { remove(key, &turn) }
            return
        }
        let late = units.filter { $0.value.isOut && $0.value.deadline <= turn.now }
        for (key, unit) in late.sorted(by: { $0.key.order < $1.key.order }) {
            expire(key, unit, &turn)
        }
    }

    /// Notes that a step is no longer out, and forgets it.
    mutating func remove(_ key: WorkUnit.Key, _ turn: inout Turn) {
        guard let unit = units.removeValue(forKey: key) else { return }
        comeBack(unit, &turn)
    }

    /// Notes that a step is no longer out, and keeps it for another time.
    mutating func takeBack(_ key: WorkUnit.Key, notBefore: Milliseconds, _ turn: inout Turn) {
        guard var unit = units[key] else { return }
        comeBack(unit, &turn)
        unit.isOut = false
        unit.hasBegun = false
        unit.notBefore = notBefore
        units[key] = unit
    }

    /// The run behind this report is alive: its lease begins anew.
    mutating func renew(_ key: WorkUnit.Key, _ turn: inout Turn) {
        guard var unit = units[key], unit.isOut else { return }
        if !unit.hasBegun { turn.runningChange += 1 }
        unit.hasBegun = true
        unit.deadline = deadline(turn.settings.runLease, unit, turn)
        units[key] = unit
    }

    private mutating func comeBack(_ unit: WorkUnit, _ turn: inout Turn) {
        guard unit.isOut else { return }
        outCount -= 1
        turn.outChanges[unit.partition, default: 0] -= 1
        if unit.hasBegun { turn.runningChange -= 1 }
    }

    private var hasDiscard: Bool { units[WorkUnit.Key(.discard)] != nil }

    private mutating func nextUnit(window: Int, _ turn: Turn) -> WorkUnit.Key? {
        guard isRunning else { return nextCleanUp(turn) }
        if let key = dueUnit(turn) { return key }
        guard let plan = record.plan, var ledger, !mustPlan || ledger.isComplete else {
            return fresh(WorkUnit.Key(.plan))
        }
        if ledger.isComplete {
            return plan.needsSeal ? fresh(WorkUnit.Key(.seal)) : nil
        }
        let end = min(ledger.count, ledger.folded + window * turn.settings.reach)
        while ledger.nextFresh < end {
            let index = ledger.nextFresh
            guard !isTooFarAhead(index, window: window) else { break }
            ledger.nextFresh += 1
            guard !ledger.isDone(at: index), let key = fresh(WorkUnit.Key(.range, index)) else {
                continue
            }
            self.ledger = ledger
            return key
        }
        self.ledger = ledger
        return nil
    }

    private func fresh(_ key: WorkUnit.Key) -> WorkUnit.Key? { units[key] == nil ? key : nil }

    private func dueUnit(_ turn: Turn) -> WorkUnit.Key? {
        guard outCount < units.count else { return nil }
        return units.filter {
            !$0.value.isOut && $0.value.notBefore <= turn.now && !awaitsPlace($0.key)
        }
        .min { ($0.value.notBefore, $0.key.order) < ($1.value.notBefore, $1.key.order) }?.key
    }

    private func nextCleanUp(_ turn: Turn) -> WorkUnit.Key? {
        guard !record.state.isEnd, !isEnding, outCount == 0 else { return nil }
        guard isStateRecorded, foreignRuns.awaited(turn.now) == nil else { return nil }
        let key = WorkUnit.Key(.discard)
        guard let unit = units[key] else { return key }
        return unit.notBefore <= turn.now ? key : nil
    }

    private mutating func issue(
        _ key: WorkUnit.Key,
        to place: PartitionID,
        _ turn: inout Turn
    ) {
        var unit = units[key] ?? WorkUnit()
        precondition(!unit.isOut, "a step is out once")
        outCount += 1
        turn.outChanges[place.partition, default: 0] += 1
        unit.partition = place.partition
        unit.isOut = true
        unit.attempt += 1
        unit.deadline = deadline(turn.settings.queueLease, unit, turn)
        units[key] = unit
        turn.actions.append(.issue(task(key, unit), place))
    }

    /// The order for a step.
    func task(_ key: WorkUnit.Key, _ unit: WorkUnit) -> TaskMessage {
        let isSeal = key.step == .seal
        return TaskMessage(
            order: record.order,
            name: name(key),
            attempt: unit.attempt,
            epoch: record.epoch,
            isIsolated: unit.openRuns > 0 && unit.expiries > 0,
            rangeCount: isSeal ? record.plan?.rangeCount : nil,
            results: isSeal
                ? TaskMessage.Span(
                    partition: partition,
                    from: firstResult ?? 0,
                    to: lastResult + 1
                ) : nil,
            given: isSeal ? given : nil,
            place: key.step == .range ? allocator?.place(key.index) : nil
        )
    }

    /// How tasks and results call a step.
    func name(_ key: WorkUnit.Key) -> TaskName {
        let needsPlan = key.step == .range || key.step == .seal
        return TaskName(
            job: id,
            step: key.step,
            plan: needsPlan ? record.plan?.planHash : nil,
            index: key.index
        )
    }

    private func deadline(_ lease: Milliseconds, _ unit: WorkUnit, _ turn: Turn) -> Milliseconds {
        guard lease < turn.settings.longestLease else { return turn.now + lease }
        let grown = lease << Int64(min(unit.expiries, 2))
        return turn.now + min(grown, turn.settings.longestLease)
    }

    private mutating func expire(_ key: WorkUnit.Key, _ unit: WorkUnit, _ turn: inout Turn) {
        if isRunning, let limit = turn.settings.retry.unendedStarts, unit.openRuns >= limit {
            return giveUp(key, unendedStarts(unit.openRuns, key), &turn)
        }
        units[key]?.expiries += 1
        takeBack(key, notBefore: turn.now, &turn)
    }
}
