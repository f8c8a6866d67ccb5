// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import Conversion
import Digest
import DiskImage
import Fleet
import TaskLog
import Testing

/// A coordinator with a log that takes everything at once.
struct CoordinatorHarness {
    var state: CoordinatorState
    var now: Milliseconds = 0
    var offset: Int64 = 0
    var out: [TaskMessage] = []
    var outTopics: [String: String] = [:]
    var partitions: [Int] = []
    var controls: [ControlRecord] = []
    var letters: [DeadLetter] = []
    var events: [EventMessage] = []
    var ends: [String: JobRecord] = [:]
    var held: [JobRecord] = []
    var holdsRecords = false

    init(_ change: (inout CoordinatorSettings) -> Void = { _ in }) {
        var settings = CoordinatorSettings { _ in FakeFolder() }
        settings.window = 16
        change(&settings)
        state = CoordinatorState(settings: settings, topics: Topics(taskPartitions: 3))
        tell(.taken(partition: 0, from: 0))
        tell(.rebuilt(partition: 0))
    }

    mutating func tell(_ event: CoordinatorEvent) {
        for action in state.handle(event, now: now) {
            switch action {
            case .issue(let task, let place):
                out.append(task)
                outTopics[task.order.id] = place.topic
                partitions.append(place.partition)
            case .record(let record):
                held.append(record)
                if !holdsRecords { confirmRecords() }
            case .control(let record): controls.append(record)
            case .event(let event, let mark):
                events.append(event)
                if let mark { tell(.published(job: event.job, mark)) }
            case .deadLetter(let letter): letters.append(letter)
            case .ended(let record): ends[record.order.id] = record
            case .planned, .takeAgain: break
            }
        }
    }

    /// The log takes the records that were written.
    mutating func confirmRecords() {
        let records = held
        held = []
        for record in records {
            tell(.recorded(job: record.order.id, record.state, epoch: record.epoch))
        }
        tell(.tick)
    }

    mutating func submit(
        _ id: String,
        converts: Bool = false,
        weight: Int = 1,
        priority: JobPriority = .normal
    ) {
        var spec = JobSpec(kind: converts ? .convert : .checksum, sources: [])
        if converts { spec.target = TargetSpec(path: "t", format: .qcow2) }
        let order = JobOrder(id: id, spec: spec)
        tell(.request(.submit(Submission(order, weight: weight, priority: priority))))
        tell(.tick)
    }

    mutating func report(_ task: TaskMessage, _ body: ResultMessage.Body, run: String = "r") {
        let result = ResultMessage(
            task: task.name,
            attempt: task.attempt,
            epoch: task.epoch,
            run: run,
            body: body
        )
        tell(.result(result, offset: offset))
        offset += 1
        tell(.tick)
    }

    /// Takes out the first task that is out, if any fits.
    mutating func take(_ fits: (TaskMessage) -> Bool = { _ in true }) -> TaskMessage? {
        out.firstIndex(where: fits).map { out.remove(at: $0) }
    }

    mutating func taken(_ fits: (TaskMessage) -> Bool = { _ in true }) throws -> TaskMessage {
        let task = take(fits)
        return try #require(task)
    }

    mutating func plan(
        _ id: String,
        ranges: Int,
        converts: Bool = false,
        isOrdered: Bool? = nil
    ) throws {
        let task = try taken { $0.order.id == id && $0.step == .plan }
        var plan = PlanResult(
            planHash: "p",
            rangeCount: ranges,
            guestSize: UInt64(ranges) << 25,
            dataBytes: 0,
            firstPayload: converts ? HostOffset(1000) : nil,
            needsSeal: converts
        )
        plan.ordersPayload = isOrdered
        report(task, .planned(plan))
    }

    static func result(_ index: Int, data: UInt64 = 1, digest: UInt8 = 0) -> ResultMessage.Body {
        let range = GuestRange(GuestOffset(UInt64(index) << 25), length: 1 << 25)
        var result = RangeResult(range: range, dataBytes: data)
        result.digest = RangeDigest(runs: [.digests([digest])])
        return .ranged(result)
    }
}
