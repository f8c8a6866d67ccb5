// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Conversion

/// A plan step may end when its job has ended, and been cleaned up, long since: the worker was frozen, say. What it made then is removed
/// again here, by the one who knows that it made it, before the task counts as done.
extension WorkerState {
    /// How often a clean-up is tried.
    private static let mostCleanings = 8

    /// Whether a run leaves something behind that no one else will remove.
    func mustClean(_ run: WorkerRun) -> Bool {
        run.task.step == .plan && run.task.order.spec.target != nil && isUnwanted(run.task)
    }

    /// Removes what a run of a plan made, then publishes its outcome.
    mutating func clean(_ number: RunNumber, then outcome: ResultMessage.Body) {
        guard let run = runs[number] else { return }
        runs[number]?.phase = .cleaning
        runs[number]?.outcome = outcome
        discard(number, run)
    }

    /// A clean-up has ended, well or not.
    mutating func cleaned(_ number: RunNumber, _ body: ResultMessage.Body, _ now: Milliseconds) {
        guard var run = runs[number] else { return }
        if case .failed(let error) = body, RetryPolicy.isRetriable(error),
            run.cleanings < Self.mostCleanings, drainDeadline == nil
        {
            run.cleanings += 1
            run.resendAt = now + settings.republish << Milliseconds(run.cleanings - 1)
            runs[number] = run
            return
        }
        guard let outcome = run.outcome else { return }
        runs[number]?.phase = .ended
        publish(number, outcome, now)
    }

    /// Tries a clean-up again that did not work.
    mutating func cleanAgain(_ number: RunNumber, _ run: WorkerRun) {
        runs[number]?.resendAt = .max
        discard(number, run)
    }

    private mutating func discard(_ number: RunNumber, _ run: WorkerRun) {
        let task = TaskMessage(
            order: run.task.order,
            name: TaskName(job: run.task.order.id, step: .discard),
            attempt: run.task.attempt,
            epoch: run.task.epoch
        )
        actions.append(.begin(number, task, until: .max))
    }
}
