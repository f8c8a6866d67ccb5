// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Conversion
internal import TaskLog

/// Runs one step on the calling thread and says what came of it.
struct StepRunner: Sendable {
    let log: any TaskLog
    let runner: any JobRunner

    func run(_ task: TaskMessage, _ control: SlotControl) -> ResultMessage.Body {
        do throws(DrayError) {
            switch task.step {
            case .plan: return .planned(try runner.plan(task.order, control))
            case .range: return .ranged(try range(task, control))
            case .seal: return .sealed(try seal(task, control))
            case .discard:
                try runner.discard(task.order)
                return .discarded
            }
        } catch {
            control.takeBack()
            guard error.kind == .cancelled else { return .failed(error) }
            guard control.isCancelled else {
                return .failed(DrayError(.bug, "a step stopped that no one had stopped"))
            }
            return .cancelled
        }
    }

    private func range(
        _ task: TaskMessage,
        _ control: SlotControl
    ) throws(DrayError) -> RangeResult {
        try runner.run(
            task.order,
            planHash: try planHash(task),
            index: task.index,
            control
        )
    }

    private func seal(
        _ task: TaskMessage,
        _ control: SlotControl
    ) throws(DrayError) -> SealResult {
        let plan = try planHash(task)
        let results =
            if let given = task.given {
                given.results
            } else {
                try RangeResults(task: task, plan: plan).read(log)
            }
        return try runner.seal(task.order, planHash: plan, results: results, control)
    }

    private func planHash(_ task: TaskMessage) throws(DrayError) -> String {
        guard let plan = task.plan else {
            throw DrayError(.corrupt, "the task names no plan")
        }
        return plan
    }
}

/// Gathers the results of a job's ranges from `results`: the first of each range counts.
struct RangeResults {
    let span: TaskMessage.Span
    let job: String
    let plan: String
    let count: Int

    init(task: TaskMessage, plan: String) throws(DrayError) {
        guard let span = task.results, let count = task.rangeCount,
            (0...CoordinatorSettings.largestRangeCount).contains(count)
        else { throw DrayError(.corrupt, "the task does not say where the results are") }
        self.span = span
        self.count = count
        self.plan = plan
        job = task.order.id
    }

    func read(_ log: any TaskLog) throws(DrayError) -> [RangeResult] {
        var results = [RangeResult?](repeating: nil, count: count)
        let key = Array(job.utf8)
        let partition = PartitionID(Topics.results, span.partition)
        try log.read(partition, from: span.from, to: span.to) { record throws(DrayError) in
            // The type is looked at first: other jobs' records are not parsed.
            guard record.key == key,
                MessageCodec.type(of: record) == .ranged,
                case .message(.result(let message)) = MessageCodec.read(record),
                case .ranged(var result) = message.body, message.task.plan == plan,
                results.indices.contains(message.task.index), results[message.task.index] == nil
            else { return }
            result.digest = nil
            results[message.task.index] = result
        }
        return try results.enumerated().map { index, result throws(DrayError) in
            guard let result else {
                throw DrayError(.bug, "the log has no result of range \(index)")
            }
            return result
        }
    }
}
