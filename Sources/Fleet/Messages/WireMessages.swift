// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Conversion
internal import DiskImage
internal import FoundationEssentials

/// A report as it travels; its type says which fields count. Each field is named in `WireMessages+Plain` too.
struct WireResult: Codable {
    var job: String
    var step: Step
    var plan: String?
    var index: Int
    var attempt: Int
    var epoch: Int
    var run: String
    var bytes: UInt64?
    var alignedBytes: UInt64?
    var alignment: UInt64?
    var stored: Data?
    var mostShared: UInt64?
    var planned: PlanResult?
    var range: WireRangeResult?
    var sealed: SealResult?
    var error: DrayError?

    init(_ result: ResultMessage) {
        job = result.task.job
        step = result.task.step
        plan = result.task.plan
        index = result.task.index
        attempt = result.attempt
        epoch = result.epoch
        run = result.run
        switch result.body {
        case .started, .discarded, .cancelled: break
        case .sized(let space):
            bytes = space.bytes
            guard space.alignedBytes > 0 || space.shared != nil else { break }
            alignedBytes = space.alignedBytes
            alignment = space.alignment
            stored = (space.shared?.lengths.bytes).map { Data($0) }
            mostShared = space.shared?.most
        case .progress(let count): bytes = count
        case .planned(let plan): planned = plan
        case .ranged(let result): range = WireRangeResult(result)
        case .sealed(let result): sealed = result
        case .failed(let failure): error = failure
        }
    }

    func message(_ type: MessageType) throws(DrayError) -> ResultMessage {
        let task = TaskName(job: job, step: step, plan: plan, index: index)
        return ResultMessage(
            task: task,
            attempt: attempt,
            epoch: epoch,
            run: run,
            body: try body(type)
        )
    }

    private func body(_ type: MessageType) throws(DrayError) -> ResultMessage.Body {
        switch type {
        case .started: .started
        case .discarded: .discarded
        case .cancelled: .cancelled
        case .sized: .sized(try space())
        case .progress: .progress(try required(bytes, "bytes"))
        case .planned: .planned(try required(planned, "planned"))
        case .ranged: .ranged(try required(range, "range").result())
        case .sealed: .sealed(try required(sealed, "sealed"))
        case .failed: .failed(try required(error, "error"))
        default: throw DrayError(.bug, "\(type.rawValue) is not a report")
        }
    }

    private func space() throws(DrayError) -> SpaceRequest {
        let shared = try stored.map { stored throws(DrayError) in
            SpaceRequest.Shared(
                try StoredLengths(bytes: [UInt8](stored)),
                most: try required(mostShared, "mostShared")
            )
        }
        let space = SpaceRequest(
            try required(bytes, "bytes"),
            alignedBytes: alignedBytes ?? 0,
            alignment: alignment ?? 1,
            shared: shared
        )
        guard space.isValid else {
            throw DrayError(.corrupt, "the message's fields of a place are malformed")
        }
        return space
    }
}

/// An event as it travels; its type says which fields count. Each field is named in `WireMessages+Plain` too.
struct WireEvent: Codable {
    var job: String
    var planned: PlanResult?
    var index: Int?
    var range: WireRangeResult?
    var task: TaskName?
    var failures: Int?
    var afterMilliseconds: Int64?
    var outcome: JobOutcome?
    var error: DrayError?

    init(_ event: EventMessage) {
        job = event.job
        switch event.body {
        case .submitted, .cancelled: break
        case .planned(let plan): planned = plan
        case .range(let number, let result):
            index = number
            range = WireRangeResult(result)
        case .retrying(let name, let count, let wait, let failure):
            task = name
            failures = count
            afterMilliseconds = wait
            error = failure
        case .finished(let result): outcome = result
        case .failed(let failure): error = failure
        }
    }

    func message(_ type: MessageType) throws(DrayError) -> EventMessage {
        EventMessage(job: job, try body(type))
    }

    private func body(_ type: MessageType) throws(DrayError) -> EventMessage.Body {
        switch type {
        case .jobSubmitted: return .submitted
        case .jobCancelled: return .cancelled
        case .jobPlanned: return .planned(try required(planned, "planned"))
        case .jobRange:
            return .range(try required(index, "index"), try required(range, "range").result())
        case .jobRetrying:
            return .retrying(
                try required(task, "task"),
                failures: try required(failures, "failures"),
                after: try required(afterMilliseconds, "afterMilliseconds"),
                try required(error, "error")
            )
        case .jobFinished: return .finished(try required(outcome, "outcome"))
        case .jobFailed: return .failed(try required(error, "error"))
        default: throw DrayError(.bug, "\(type.rawValue) is not an event")
        }
    }
}

/// A request as it travels.
struct WireRequest: Codable {
    var job: JobOrder?
    var weight: Int?
    var priority: JobPriority?
    var submittedAt: Int64?
    var id: String?
}

/// A field that a message of its type must have.
private func required<Value>(_ value: Value?, _ name: String) throws(DrayError) -> Value {
    guard let value else { throw DrayError(.corrupt, "the message has no field \"\(name)\"") }
    return value
}
