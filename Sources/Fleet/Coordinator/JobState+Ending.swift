// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Conversion

extension JobState {
    /// Ends a job well: its record follows when the event of it is durable.
    mutating func finish(mismatch: UInt64?, target: UInt64?, _ turn: inout Turn) {
        guard let plan = record.plan, !isEnding else { return }
        var outcome = JobOutcome(guestSize: plan.guestSize, rangeCount: plan.rangeCount)
        outcome.dataBytes = dataBytes
        outcome.mismatch = mismatch
        outcome.targetLength = target
        outcome.retries = retries
        do throws(DrayError) {
            if mismatch == nil {
                outcome.digest = try digestFolder(turn)?.finish(guestSize: plan.guestSize)
            }
        } catch {
            return stop(.failing, error, &turn)
        }
        record.outcome = outcome
        record.error = nil
        end(.finished(outcome), &turn)
    }

    /// Begins to end a job early: its tasks stop, then what it left behind is removed.
    mutating func stop(_ state: JobRecord.State, _ error: DrayError?, _ turn: inout Turn) {
        guard isRunning else { return }
        record.state = state
        isStateRecorded = false
        record.error = error
        beginDrain(turn)
        for (key, unit) in units where !unit.isOut { units[key] = nil }
        isControlDue = true
        writeRecord(&turn)
        endIfNothingIsLeft(&turn)
    }

    /// Sets the times that a job that ends early goes by.
    mutating func beginDrain(_ turn: Turn) {
        drainDeadline = turn.now + turn.settings.drain
        foreignRuns.patienceEnd = turn.now + turn.settings.takenDrain
    }

    /// Ends a job that cannot have left anything behind: it has no target. Where there is one, `discard` is issued even if this
    /// coordinator issued nothing else: another one may have.
    mutating func endIfNothingIsLeft(_ turn: inout Turn) {
        guard !isRunning, !isEnding, record.order.spec.target == nil else { return }
        for key in Array(units.keys) { remove(key, &turn) }
        endEarly(&turn)
    }

    /// The clean-up is over, well or not.
    mutating func discarded(_ turn: inout Turn) {
        guard units[WorkUnit.Key(.discard)] != nil else { return }
        remove(WorkUnit.Key(.discard), &turn)
        endEarly(&turn)
    }

    /// Gives a step up, and the job with it. The last word goes to `deadletters` and the job's record.
    mutating func giveUp(_ key: WorkUnit.Key, _ error: DrayError, _ turn: inout Turn) {
        guard isRunning else { return }
        let unit = units[key] ?? WorkUnit()
        let letter = DeadLetter(
            task: task(key, unit),
            attempts: unit.attempt,
            unendedStarts: unit.openRuns,
            error: error
        )
        turn.actions.append(.deadLetter(letter))
        remove(key, &turn)
        stop(.failing, error, &turn)
    }

    /// Fails the job because someone computed wrongly.
    mutating func alarm(_ message: String, _ turn: inout Turn) {
        stop(.failing, DrayError(.bug, "integrity alarm: " + message), &turn)
    }

    /// Why a step that began too often is given up.
    func unendedStarts(_ count: Int, _ key: WorkUnit.Key) -> DrayError {
        DrayError(
            .resource,
            "\(key.step.rawValue) \(key.index) began \(count) times on workers that fell silent"
        )
    }

    /// The event of the job's end is durable: so may be its record.
    mutating func endIsPublished(_ turn: inout Turn) {
        guard isEnding, !record.state.isEnd else { return }
        record.state =
            record.outcome != nil ? .finished : (record.error == nil ? .cancelled : .failed)
        writeRecord(&turn)
    }

    /// A record of the job is durable.
    mutating func recorded(_ state: JobRecord.State, epoch: Int, _ turn: inout Turn) {
        isRecorded = true
        durableEpoch = max(durableEpoch, epoch)
        if state == record.state { isStateRecorded = true }
        guard state.isEnd, record.state.isEnd, !isEndRecorded else { return }
        isEndRecorded = true
        isControlDue = true
        turn.actions.append(.ended(record))
    }

    /// Publishes an event, where events are wanted.
    mutating func publish(
        _ body: EventMessage.Body,
        mark: EventMark? = nil,
        _ turn: inout Turn
    ) {
        guard turn.settings.publishesEvents else { return }
        turn.actions.append(.event(EventMessage(job: id, body), mark))
    }

    private mutating func endEarly(_ turn: inout Turn) {
        if record.state == .cancelling {
            end(.cancelled, &turn)
        } else {
            let error = record.error ?? DrayError(.bug, "the job failed without an error")
            record.error = error
            end(.failed(error), &turn)
        }
    }

    private mutating func end(_ event: EventMessage.Body, _ turn: inout Turn) {
        // Where nothing is out nobody has to stop: most jobs are not worth a control record before their end is durable.
        if outCount > 0 { isControlDue = true }
        for key in Array(units.keys) { remove(key, &turn) }
        isEnding = true
        publish(event, mark: .end, &turn)
        if !turn.settings.publishesEvents { endIsPublished(&turn) }
    }
}
