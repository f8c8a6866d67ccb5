// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Conversion
internal import TaskLog

extension WorkerState {
    mutating func heed(_ record: ControlRecord, _ now: Milliseconds) {
        let id = record.job
        if let known = controls[id] {
            guard record.epoch >= known.epoch else { return }
            if known.state != .running, record.state == .running, record.epoch == known.epoch {
                return
            }
        }
        if record.state == .finished {
            controls[id] = nil
            endedJobs.insert(id)
        } else {
            controls[id] = JobControl(
                state: record.state,
                epoch: record.epoch,
                plan: record.plan,
                places: Dictionary(record.reservations.map { ($0.index, $0.offset) }) { $1 },
                refused: Set(record.refused)
            )
        }
        for (number, run) in inOrder where run.task.order.id == id { react(number, run, now) }
    }

    /// A range asks for its place: the answer may be here already.
    mutating func ask(_ number: RunNumber, _ space: SpaceRequest, _ now: Milliseconds) {
        guard let run = runs[number], run.phase == .running, !run.isStopping else { return }
        let given = run.task.place.flatMap { space.place(from: $0)?.start == $0 ? $0 : nil }
        if let place = given ?? place(of: run) {
            return actions.append(.place(number, HostOffset(place)))
        }
        runs[number]?.wanted = space
        runs[number]?.wantedSince = now
        runs[number]?.askAgainAt = now + settings.resend
        actions.append(.publish(report(run, .sized(space)), token: idleToken()))
        // While it waits another one may work.
        fillSlots(now)
    }

    mutating func heartbeat(
        _ number: RunNumber,
        _ bytes: UInt64,
        _ signs: UInt64,
        _ now: Milliseconds
    ) {
        guard let run = runs[number], run.phase == .running, now >= run.nextHeartbeat else {
            return
        }
        // A range that does nothing is to be tried elsewhere. Other steps need not say how far they are.
        let isStuck =
            run.task.step == .range && run.reportedSigns == signs && run.wanted == nil
        guard !isStuck else { return }
        runs[number]?.reportedSigns = signs
        runs[number]?.nextHeartbeat = now + settings.heartbeat
        let token = idleToken()
        if run.task.step == .plan { beats[token] = Beat(number: number, time: now) }
        actions.append(.publish(report(run, .progress(bytes)), token: token))
    }

    mutating func drain(_ now: Milliseconds) {
        guard drainDeadline == nil else { return }
        drainDeadline = now + settings.grace
        for number in waiting { end(number, .cancelled, now) }
    }

    mutating func tick(_ now: Milliseconds) {
        resend(now)
        handBack(now)
        if let number = waiting.first, runs[number]?.waitsUntil ?? .max <= now {
            end(number, .cancelled, now)
        }
        if now >= nextCommit || (drainDeadline != nil && runs.isEmpty) { commitAll(now) }
        guard let deadline = drainDeadline, !isDrained else { return }
        if now >= deadline {
            drainDeadline = .max
            for (number, _) in inOrder { stop(number) }
        }
        if runs.isEmpty, letters.isEmpty {
            isDrained = true
            actions.append(.drained)
        }
    }

    /// The runs, in an order that does not depend on the process: what is done follows from the events alone.
    var inOrder: [(key: RunNumber, value: WorkerRun)] { runs.sorted { $0.key < $1.key } }

    private func place(of run: WorkerRun) -> UInt64? {
        guard let control = controls[run.task.order.id], control.plan == run.task.plan,
            run.task.step == .range
        else { return nil }
        return control.places[run.task.index]
    }

    private mutating func react(_ number: RunNumber, _ run: WorkerRun, _ now: Milliseconds) {
        let hasBegun = run.phase == .running || run.phase == .announced
        let isRefused = controls[run.task.order.id]?.refused.contains(run.task.index) ?? false
        if isUnwanted(run.task), !(hasBegun && isRefused && isJobRunning(run)) {
            if run.phase == .waiting { return end(number, .cancelled, now) }
            return stop(number)
        }
        if run.wanted != nil, let place = place(of: run) {
            runs[number]?.wanted = nil
            runs[number]?.askAgainAt = .max
            actions.append(.place(number, HostOffset(place)))
        }
    }

    private func isJobRunning(_ run: WorkerRun) -> Bool {
        controls[run.task.order.id]?.state == .running
    }

    mutating func stop(_ number: RunNumber) {
        guard let run = runs[number], !run.isStopping, run.phase != .ended else { return }
        runs[number]?.isStopping = true
        runs[number]?.askAgainAt = .max
        if run.phase == .running { actions.append(.stop(number)) }
    }

    private mutating func resend(_ now: Milliseconds) {
        for (number, run) in inOrder {
            if run.resendAt <= now, run.phase == .cleaning { cleanAgain(number, run) }
            if run.resendAt <= now, let result = run.outgoing {
                runs[number]?.resendAt = .max
                runs[number]?.reportedAt = now
                actions.append(.publish(result, token: newToken(for: number)))
            }
            if run.askAgainAt <= now, let space = run.wanted {
                runs[number]?.askAgainAt = now + settings.resend
                actions.append(.publish(report(run, .sized(space)), token: idleToken()))
            }
        }
        for (token, pending) in letters.sorted(by: { $0.key < $1.key })
        where pending.resendAt <= now {
            letters[token] = nil
            lastNumber += 1
            letters[lastNumber] = pending
            letters[lastNumber]?.resendAt = .max
            actions.append(.deadLetter(pending.letter, token: lastNumber))
        }
    }

    private mutating func commitAll(_ now: Milliseconds) {
        nextCommit = now + settings.commitInterval
        let partitions = trackers.keys.sorted {
            ($0.topic, $0.partition) < ($1.topic, $1.partition)
        }
        let places = commits(of: partitions)
        if !places.isEmpty { actions.append(.commit(places)) }
    }
}
