// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Conversion

/// A record's content, of any type.
package enum Message: Sendable, Hashable {
    case request(RequestMessage)
    case job(JobRecord)
    case task(TaskMessage)
    case result(ResultMessage)
    case control(ControlRecord)
    case event(EventMessage)
    case deadLetter(DeadLetter)

    /// The type that the record's headers name.
    package var type: MessageType {
        switch self {
        case .request(.submit): .submit
        case .request(.cancel): .cancel
        case .job: .job
        case .task: .task
        case .control: .control
        case .deadLetter: .deadLetter
        case .result(let result): Self.type(of: result.body)
        case .event(let event): Self.type(of: event.body)
        }
    }

    /// What the record is known by in its topic: the job's id.
    var key: String {
        switch self {
        case .request(let request): request.job
        case .job(let record): record.order.id
        case .task(let task): task.order.id
        case .control(let record): record.job
        case .deadLetter(let letter): letter.task?.order.id ?? letter.source ?? ""
        case .result(let result): result.task.job
        case .event(let event): event.job
        }
    }

    /// What tells a repetition from news (`ce_id`).
    var id: String {
        switch self {
        case .request, .control: key
        case .job(let record): "\(key)/\(record.epoch)/\(record.state.rawValue)"
        case .task(let task):
            "\(key)/\(task.step.rawValue)/\(task.index)/\(task.epoch).\(task.attempt)"
        case .deadLetter(let letter):
            letter.task.map { "\(key)/\($0.step.rawValue)/\($0.index)" } ?? key
        case .result(let result):
            "\(result.run)/\(result.task.step.rawValue)/\(result.task.index)"
        case .event(let event): event.id
        }
    }

    private static func type(of body: ResultMessage.Body) -> MessageType {
        switch body {
        case .started: .started
        case .sized: .sized
        case .progress: .progress
        case .planned: .planned
        case .ranged: .ranged
        case .sealed: .sealed
        case .discarded: .discarded
        case .failed: .failed
        case .cancelled: .cancelled
        }
    }

    private static func type(of body: EventMessage.Body) -> MessageType {
        switch body {
        case .submitted: .jobSubmitted
        case .planned: .jobPlanned
        case .range: .jobRange
        case .retrying: .jobRetrying
        case .finished: .jobFinished
        case .failed: .jobFailed
        case .cancelled: .jobCancelled
        }
    }
}
