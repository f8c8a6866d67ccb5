// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import Conversion
internal import TaskLog

/// A plan step may report after its job has ended, or so shortly before that it may have run after the seal or the clean-up: what it made then
/// is removed by one more `discard`. It is repeated when it fails; the offset of the report keeps its attempts apart from all others.
extension CoordinatorState {
    /// Issues the clean-ups that are due.
    mutating func cleanUpLate(_ turn: inout Turn) {
        guard !late.isEmpty else { return }
        for (id, cleaning) in late.sorted(by: { $0.key < $1.key }) {
            let partition = topics.partition(ofJob: id)
            guard cleaning.due <= turn.now, partitions[partition]?.isReplaying != true else {
                continue
            }
            late[id] = nil
            guard let record = endRecords[id], record.order.spec.target != nil else { continue }
            let rank = record.priority.rank
            let place = classes[rank].leastLoaded(avoiding: nil)
            let task = TaskMessage(
                order: record.order,
                name: TaskName(job: id, step: .discard),
                attempt: cleaning.attempt,
                epoch: record.epoch
            )
            turn.actions.append(.issue(task, PartitionID(classes[rank].topic, place)))
        }
    }

    /// Notes a report that came after the job's end, if there may be something to remove for it.
    mutating func noteLate(_ result: ResultMessage, _ offset: Int64, _ turn: Turn) {
        if result.mayHaveLeftTarget {
            late[result.task.job] = LateCleaning(result, offset, due: turn.now)
        } else if result.task.step == .plan {
            late[result.task.job] = LateCleaning(
                result,
                offset,
                due: turn.now + turn.settings.lateWait
            )
        }
    }
}

/// One more clean-up after a job's end.
struct LateCleaning {
    /// Which attempt it is.
    let attempt: Int
    /// When it is issued: at once where a plan step has reported. One that has begun and not reported may have been killed before it
    /// could, or may still come to make its target.
    let due: Milliseconds
    /// The report's place in `results`: until the clean-up is issued, whoever takes the partition over must see it.
    let offset: Int64

    /// The clean-up that `result`, at `offset`, makes necessary.
    init(_ result: ResultMessage, _ offset: Int64, due: Milliseconds) {
        attempt = result.nextCleaning(offset)
        self.due = due
        self.offset = offset
    }
}

extension CoordinatorSettings {
    /// How long a plan step that began may stay silent before it is taken for dead.
    var lateWait: Milliseconds { min(runLease, longestLease) }
}

extension ResultMessage {
    /// How often a late clean-up is tried.
    private static let lateAttempts = 8

    /// Whether there may be a staging file though the job has ended.
    var mayHaveLeftTarget: Bool {
        switch (task.step, body) {
        case (.plan, _): isOutcome
        case (.discard, .failed(let error)):
            RetryPolicy.isRetriable(error) && (attempt + 1) % Self.lateAttempts != 0
        case (.discard, .cancelled): true
        default: false
        }
    }

    /// The attempt of the clean-up that this report, at `offset`, makes necessary.
    func nextCleaning(_ offset: Int64) -> Int {
        if task.step == .discard { return attempt + 1 }
        return Int(offset % (1 << 24) + 1) * Self.lateAttempts
    }
}
