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
        for (id, attempt) in late.sorted(by: { $0.key < $1.key }) {
            let partition = topics.partition(ofJob: id)
            guard partitions[partition]?.isReplaying != true else { continue }
            late[id] = nil
            guard let record = endRecords[id], record.order.spec.target != nil else { continue }
            let rank = record.priority.rank
            let place = classes[rank].leastLoaded(avoiding: nil)
            let task = TaskMessage(
                order: record.order,
                name: TaskName(job: id, step: .discard),
                attempt: attempt,
                epoch: record.epoch
            )
            turn.actions.append(.issue(task, PartitionID(classes[rank].topic, place)))
        }
    }
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
