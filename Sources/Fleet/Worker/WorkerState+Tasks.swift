// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Conversion
internal import TaskLog

extension WorkerState {
    mutating func assign(_ places: [LogPosition]) {
        assignments += 1
        for place in places { trackers[place.partition] = (OffsetTracker(place), assignments) }
    }

    mutating func revoke(_ partitions: [PartitionID]) {
        let places = commits(of: partitions)
        if !places.isEmpty { actions.append(.commit(places)) }
        for partition in partitions { trackers[partition] = nil }
    }

    mutating func accept(
        _ task: TaskMessage,
        _ partition: PartitionID,
        _ offset: Int64,
        _ now: Milliseconds
    ) {
        guard let origin = take(partition, offset) else { return }
        if doneAttempts.contains(AttemptName(task)) { return finish([origin]) }
        if let number = byName[task.name], attach(task, origin, to: number) { return }
        let number = newRun(task, origin)
        if isUnwanted(task) { return end(number, .cancelled, now) }
        if task.isIsolated { runs[number]?.waitsUntil = now + settings.patience }
        waiting.append(number)
        fillSlots(now)
    }

    mutating func reject(
        _ letter: DeadLetter,
        _ partition: PartitionID,
        _ offset: Int64,
        _ now: Milliseconds
    ) {
        guard let origin = take(partition, offset) else { return }
        lastNumber += 1
        letters[lastNumber] = PendingLetter(letter: letter, origin: origin, resendAt: .max)
        actions.append(.deadLetter(letter, token: lastNumber))
    }

    /// A step has ended, or is not to begin.
    mutating func end(_ number: RunNumber, _ body: ResultMessage.Body, _ now: Milliseconds) {
        guard let run = runs[number], run.phase != .ended else { return }
        if run.phase == .cleaning { return cleaned(number, body, now) }
        waiting.removeAll { $0 == number }
        runs[number]?.phase = .ended
        runs[number]?.wanted = nil
        runs[number]?.askAgainAt = .max
        if mustClean(run) {
            clean(number, then: body)
        } else {
            publish(number, body, now)
        }
        fillSlots(now)
    }

    mutating func delivered(_ token: UInt64, _ isDurable: Bool, _ now: Milliseconds) {
        if let letter = letters.removeValue(forKey: token) {
            return letterDelivered(letter, isDurable, now)
        }
        if let beat = beats.removeValue(forKey: token) { return beatDelivered(beat, isDurable) }
        guard let number = tokens.removeValue(forKey: token), let run = runs[number] else { return }
        guard isDurable else {
            runs[number]?.resendAt = now + settings.republish
            return
        }
        switch run.phase {
        case .announced:
            if run.isStopping { return end(number, .cancelled, now) }
            runs[number]?.phase = .running
            runs[number]?.outgoing = nil
            actions.append(.begin(number, run.task, until: leaseEnd(run, from: run.reportedAt)))
        case .ended:
            guard run.outgoing?.isOutcome == true else { return }
            runs[number] = nil
            if byName[run.task.name] == number { byName[run.task.name] = nil }
            doneAttempts.insert(AttemptName(run.task))
            finish(run.origins)
        case .waiting, .running, .cleaning: break
        }
    }

    /// An outcome that no log will take is a failure: trying again gives the same.
    mutating func refused(_ token: UInt64, _ error: DrayError, _ now: Milliseconds) {
        guard let number = tokens[token], let run = runs[number], run.hasSucceeded else {
            return delivered(token, false, now)
        }
        tokens[token] = nil
        let reason = "the result cannot be published: " + error.message
        publish(number, .failed(DrayError(.unsupported, reason)), now)
    }

    /// Commits for partitions where there is something new to commit.
    mutating func commits(of partitions: [PartitionID]) -> [LogPosition] {
        partitions.compactMap { trackers[$0]?.tracker.commit() }
    }

    private mutating func take(_ partition: PartitionID, _ offset: Int64) -> WorkerRun.Origin? {
        guard let assignment = trackers[partition]?.assignment,
            trackers[partition]?.tracker.take(offset) == true
        else { return nil }
        return WorkerRun.Origin(partition: partition, offset: offset, assignment: assignment)
    }

    private mutating func finish(_ origins: [WorkerRun.Origin]) {
        for origin in origins where trackers[origin.partition]?.assignment == origin.assignment {
            trackers[origin.partition]?.tracker.finish(origin.offset)
        }
    }

    /// The same work is under way here: the record waits for its outcome too, unless that says to try again.
    private mutating func attach(
        _ task: TaskMessage,
        _ origin: WorkerRun.Origin,
        to number: RunNumber
    ) -> Bool {
        guard let run = runs[number] else { return false }
        let isNewer = (task.epoch, task.attempt) > (run.task.epoch, run.task.attempt)
        if isNewer, run.isStopping || (run.phase == .ended && !run.hasSucceeded) { return false }
        runs[number]?.origins.append(origin)
        if isNewer, run.phase != .ended { runs[number]?.task = task }
        return true
    }

    private mutating func newRun(_ task: TaskMessage, _ origin: WorkerRun.Origin) -> RunNumber {
        lastNumber += 1
        runs[lastNumber] = WorkerRun(number: lastNumber, task: task, origins: [origin])
        byName[task.name] = lastNumber
        return lastNumber
    }

    private mutating func letterDelivered(
        _ letter: PendingLetter,
        _ isDurable: Bool,
        _ now: Milliseconds
    ) {
        guard !isDurable else { return finish([letter.origin]) }
        lastNumber += 1
        letters[lastNumber] = letter
        letters[lastNumber]?.resendAt = now + settings.republish
    }
}

/// A dead letter that is not durable yet.
struct PendingLetter {
    let letter: DeadLetter
    let origin: WorkerRun.Origin
    var resendAt: Milliseconds
}
