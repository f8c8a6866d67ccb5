// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Conversion
internal import DiskImage

extension JobState {
    /// Takes a worker's report into account.
    mutating func judge(_ result: ResultMessage, offset: Int64, _ turn: inout Turn) {
        let key = WorkUnit.Key(result.task.step, result.task.index)
        firstResult = min(firstResult ?? offset, offset)
        lastResult = max(lastResult, offset)
        if isReplaying { recall(key, result) }
        if isReplaying || result.epoch < record.epoch { foreignRuns.note(result) }
        if key.step == .plan, record.order.spec.target != nil { notePlan(result, offset, turn) }
        if result.isOutcome { units[key]?.end(result.run) }
        switch result.body {
        case .started: started(key, result, &turn)
        case .progress: renew(key, &turn)
        case .sized(let space): sized(key, result, space, &turn)
        case .planned(let plan): planned(plan, epoch: result.epoch, &turn)
        case .ranged(let range): ranged(key, result, range, &turn)
        case .sealed(let seal): sealed(seal, &turn)
        case .discarded: discarded(&turn)
        case .failed(let error): failed(key, result, error, &turn)
        case .cancelled: cancelled(key, &turn)
        }
    }

    private mutating func started(
        _ key: WorkUnit.Key,
        _ result: ResultMessage,
        _ turn: inout Turn
    ) {
        units[key]?.begin(result.run)
        renew(key, &turn)
        guard key.step == .range, let limit = turn.settings.retry.unendedStarts,
            let unit = units[key], unit.openRuns >= limit, refused.insert(key.index).inserted
        else { return }
        isControlDue = true
    }

    /// Keeps in mind which runs of the plan step may make the target once more behind the job's back.
    private mutating func notePlan(_ result: ResultMessage, _ offset: Int64, _ turn: Turn) {
        if result.isOutcome {
            openPlans[result.run] = nil
            if isPlanLate(result) { reportedLate = LateCleaning(result, offset, due: turn.now) }
        } else if openPlans[result.run] != nil || openPlans.count < WorkUnit.runLimit {
            let due = turn.now + turn.settings.lateWait
            openPlans[result.run] = LateCleaning(result, offset, due: due)
        }
    }

    /// Whether a plan step's report comes at a time when the target may have got its name or been removed before that step ran.
    private func isPlanLate(_ result: ResultMessage) -> Bool {
        isRunning
            ? ledger?.isComplete == true : isEnding || units[WorkUnit.Key(.discard)] != nil
    }

    private mutating func planned(_ plan: PlanResult, epoch: Int, _ turn: inout Turn) {
        remove(WorkUnit.Key(.plan), &turn)
        guard isRunning else { return }
        if let known = record.plan {
            guard known.planHash == plan.planHash else {
                let error = DrayError(.changed, "the source has changed since the job was planned")
                return stop(.failing, error, &turn)
            }
            if epoch == record.epoch { mustPlan = false }
            return
        }
        adopt(plan, &turn)
        guard isRunning else { return }
        writeRecord(&turn)
        turn.actions.append(.planned(job: id, dataBytes: plan.dataBytes, done: 0))
        publish(.planned(plan), &turn)
        finishIfComplete(&turn)
    }

    /// Begins to work by a plan.
    mutating func adopt(_ plan: PlanResult, _ turn: inout Turn) {
        guard (0...CoordinatorSettings.largestRangeCount).contains(plan.rangeCount) else {
            let error = DrayError(.unsupported, "a plan of \(plan.rangeCount) ranges is too long")
            return stop(.failing, error, &turn)
        }
        record.plan = plan
        ledger = RangeLedger(count: plan.rangeCount)
        given = plan.needsSeal ? GivenResults() : nil
        allocator = plan.firstPayload.map { first in
            Allocator(
                first: first,
                further: plan.furtherPayload ?? [],
                count: plan.rangeCount,
                isOrdered: plan.ordersPayload == true
            )
        }
    }

    private mutating func ranged(
        _ key: WorkUnit.Key,
        _ result: ResultMessage,
        _ range: RangeResult,
        _ turn: inout Turn
    ) {
        guard belongsToPlan(result, turn) else { return }
        remove(key, &turn)
        guard isRunning else { return }
        if let place = range.placement?.reservation?.bytes, place != allocator?.place(key.index) {
            return alarm(
                "range \(key.index) was written at \(place), which is not its place",
                &turn
            )
        }
        switch ledger?.judge(key.index, range) {
        case .first:
            if range.placement?.reservation == nil { needsNoPlace(key, &turn) }
            if isRunning { foldWhatIsThere(&turn) }
        case .contradiction: alarm("two runs of range \(key.index) gave different results", &turn)
        case .repetition, nil: break
        }
    }

    private mutating func foldWhatIsThere(_ turn: inout Turn) {
        while isRunning, let (index, result) = ledger?.next() {
            dataBytes = dataBytes.adding(result.dataBytes) ?? .max
            if given?.append(result) == false { given = nil }
            if index >= record.publishedRanges ?? 0 {
                let isMark = (index + 1) % turn.settings.eventMarkInterval == 0
                publish(.range(index, result), mark: isMark ? .ranges(index + 1) : nil, &turn)
            }
            do throws(DrayError) {
                try fold(result, turn)
            } catch {
                return stop(.failing, error, &turn)
            }
            if let mismatch = result.mismatch {
                return finish(mismatch: mismatch.bytes, target: nil, &turn)
            }
        }
        finishIfComplete(&turn)
    }

    private mutating func fold(_ result: RangeResult, _ turn: Turn) throws(DrayError) {
        guard let folder = try digestFolder(turn) else { return }
        guard let digest = result.digest else {
            throw DrayError(.bug, "a range came without the digests that the job wants")
        }
        try folder.fold(digest, length: result.range.length)
    }

    /// The fold of the job's digests, made when it is first needed: thousands of jobs may wait for their turn.
    mutating func digestFolder(_ turn: Turn) throws(DrayError) -> (any DigestFolding)? {
        guard folder == nil, let digest = record.order.spec.digest else { return folder }
        folder = try turn.settings.makeFolder(digest)
        return folder
    }

    /// Ends a job without a seal whose ranges are all folded.
    mutating func finishIfComplete(_ turn: inout Turn) {
        guard isRunning, let plan = record.plan, !plan.needsSeal, ledger?.isComplete == true else {
            return
        }
        finish(mismatch: nil, target: nil, &turn)
    }

    private mutating func sealed(_ seal: SealResult, _ turn: inout Turn) {
        remove(WorkUnit.Key(.seal), &turn)
        guard !isEnding, !record.state.isEnd, ledger?.isComplete == true,
            units[WorkUnit.Key(.discard)] == nil
        else { return }
        finish(mismatch: nil, target: seal.targetLength, &turn)
    }

    private mutating func failed(
        _ key: WorkUnit.Key,
        _ result: ResultMessage,
        _ error: DrayError,
        _ turn: inout Turn
    ) {
        guard let unit = units[key], unit.isOut || isReplaying else { return }
        guard isRunning || key.step == .discard else { return remove(key, &turn) }
        let isCurrent = result.attempt == unit.attempt && result.epoch == record.epoch
        guard isCurrent || isReplaying || !RetryPolicy.isRetriable(error) else { return }
        guard units[key]?.fail(epoch: result.epoch, attempt: result.attempt) == true else { return }
        let failures = unit.failures + 1
        let isRetried =
            RetryPolicy.isRetriable(error) && failures < turn.settings.retry.attempts
        guard isRetried else {
            return key.step == .discard ? discarded(&turn) : giveUp(key, error, &turn)
        }
        retries += 1
        let salt = StableHash.of("\(id)/\(key.index)/\(failures)/\(turn.settings.seed)")
        let wait = turn.settings.retry.backoff(failures: failures, salt: salt)
        takeBack(key, notBefore: turn.now + wait, &turn)
        publish(.retrying(name(key), failures: failures, after: wait, error), &turn)
    }

    private mutating func cancelled(_ key: WorkUnit.Key, _ turn: inout Turn) {
        guard let unit = units[key], unit.isOut else { return }
        guard isRunning || key.step == .discard else { return remove(key, &turn) }
        if key.step == .range, refused.contains(key.index) {
            return giveUp(key, unendedStarts(unit.openRuns, key), &turn)
        }
        takeBack(key, notBefore: turn.now, &turn)
    }

    /// While the past is replayed, steps come back into being with what is said about them; none of them is out.
    private mutating func recall(_ key: WorkUnit.Key, _ result: ResultMessage) {
        switch result.body {
        case .started, .failed: break
        default: return
        }
        guard isRunning || key.step == .discard else { return }
        if key.step == .range, ledger?.isDone(at: key.index) ?? true { return }
        // A plan that is there need not be made again because a report of its making overtook it.
        if key.step == .plan, record.plan != nil, !mustPlan { return }
        units[key, default: WorkUnit()].attempt = max(
            units[key]?.attempt ?? 0,
            result.attempt
        )
    }

    /// Whether a report is about the plan that the job goes by and a range of it that may be under way.
    func belongsToPlan(_ result: ResultMessage, _ turn: Turn) -> Bool {
        guard let ledger, result.task.plan == record.plan?.planHash, result.task.step == .range
        else { return false }
        let reach = turn.settings.window * turn.settings.reach
        let end = min(ledger.count, ledger.folded + reach)
        return result.task.index >= 0 && result.task.index < end
    }
}
