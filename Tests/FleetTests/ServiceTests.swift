// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import Conversion
import DiskImage
import Fleet
import Synchronization
import TaskLog
import TestSupport
import Testing

/// The services over a log that fails, is written to by strangers, and is read again.
@Suite(.timeLimit(.minutes(15)))
struct ServiceTests {
    @Test("a partition is taken over when the log can be read again, and its job goes on")
    func readsAgain() throws {
        let rig = try FleetRig()
        rig.log.faults.withLock { $0.reads = 1 }
        rig.send(.job(JobRecord(Submission(FleetRig.order("a")))), Topics.jobs, "a")
        let coordinator = rig.coordinator()
        let worker = rig.worker(FakeRunner(count: 20))
        try coordinator.start()
        // A worker reads the log too when it begins, and would meet the failure instead.
        while rig.notices.withLock({ $0.counts["unreadable"] }) == nil {
            WakeUp().wait(milliseconds: 10)
        }
        try worker.start()
        let end = try rig.end(of: "a")
        #expect(end.state == .finished && end.epoch == 2)
        coordinator.stop()
        worker.stop()
        #expect(rig.notices.withLock { $0.counts["unreadable"] } == 1)
        #expect(rig.notices.withLock { $0.counts["restarting"] } == nil)
    }

    @Test(
        "a coordinator whose log failed starts afresh, and every job ends once, with all its events",
        arguments: [Topics.jobs, Topics.events, Topics.tasks(.normal), "poll"]
    )
    func coordinatorRestarts(topic: String) throws {
        let rig = try FleetRig()
        let hasFailed = Atomic(false)
        let runner = FakeRunner(count: 60) { index, _ throws(DrayError) in
            guard index == 30, !hasFailed.exchange(true, ordering: .relaxed) else { return }
            rig.log.faults.withLock { faults in
                if topic == "poll" {
                    faults.polls[Topics.requests] = 1
                } else {
                    faults.deliveries[topic] = 1
                }
                faults.opens = 2
            }
        }
        let coordinator = rig.coordinator()
        let worker = rig.worker(runner)
        try coordinator.start()
        try worker.start()
        rig.submit("a", converts: true)
        let end = try rig.end(of: "a")
        coordinator.stop()
        worker.stop()
        #expect(end.state == .finished)
        #expect(rig.notices.withLock { $0.counts["restarting"] } == 3)
        let events = try rig.messages(Topics.events).compactMap {
            if case .event(let event) = $0 { event.id } else { nil }
        }
        var seen: Set<String> = []
        let news = events.filter { seen.insert($0).inserted && $0.contains("/range/") }
        #expect(news == (0..<60).map { "a/range/\($0)" })
    }

    @Test("a worker knows which jobs have ended before it takes its first task")
    func learnsBeforeItWorks() throws {
        let rig = try FleetRig()
        // More than one poll's worth, so that what counts would come behind the tasks.
        for number in 0..<600 {
            rig.send(Self.ended("old-\(number)"), Topics.control, "old-\(number)")
        }
        rig.send(Self.ended("a"), Topics.control, "a")
        for job in ["a", "b"] {
            let name = TaskName(job: job, step: .plan)
            let task = TaskMessage(order: FleetRig.order(job), name: name, attempt: 1, epoch: 1)
            rig.send(.task(task), Topics.tasks(.normal), job)
        }
        let runner = FakeRunner(count: 1)
        let worker = rig.worker(runner)
        try worker.start()
        while runner.record.withLock({ $0.plans }) == 0 { WakeUp().wait(milliseconds: 5) }
        worker.stop()
        #expect(runner.record.withLock { $0.plans } == 1)
        let planned = try rig.messages(Topics.results).compactMap { message -> String? in
            guard case .result(let result) = message, case .planned = result.body else {
                return nil
            }
            return result.task.job
        }
        #expect(planned == ["b"])
    }

    private static func ended(_ job: String) -> Message {
        .control(ControlRecord(job: job, state: .finished, epoch: 1))
    }

    @Test("a worker whose log failed stops its steps, starts afresh, and names its runs anew")
    func workerRestarts() throws {
        let rig = try FleetRig()
        let hasFailed = Atomic(false)
        let stopped = Atomic(0)
        let runner = FakeRunner(count: 40) { index, control throws(DrayError) in
            guard index == 20, !hasFailed.exchange(true, ordering: .relaxed) else { return }
            rig.log.faults.withLock { $0.polls[Topics.tasks(.normal)] = 1 }
            while !control.isCancelled { WakeUp().wait(milliseconds: 5) }
            stopped.add(1, ordering: .relaxed)
            throw DrayError(.cancelled, "stopped")
        }
        let coordinator = rig.coordinator()
        let worker = rig.worker(runner)
        try coordinator.start()
        try worker.start()
        rig.submit("a")
        let end = try rig.end(of: "a")
        coordinator.stop()
        worker.stop()
        #expect(end.state == .finished && stopped.load(ordering: .relaxed) == 1)
        let runs = try rig.messages(Topics.results).compactMap { message -> String? in
            guard case .result(let result) = message, result.body == .started else { return nil }
            return "\(result.run)/\(result.task.step)/\(result.task.index)"
        }
        #expect(Set(runs).count == runs.count)
    }

    @Test("a task that kills its worker each time is given up after three, and the fleet lives")
    func poison() throws {
        let rig = try FleetRig()
        let runner = FakeRunner(count: 6) { index, control throws(DrayError) in
            guard index == 3 else { return }
            // The worker loses the log and all that it knew, as if it were killed.
            rig.log.faults.withLock { $0.polls[Topics.tasks(.normal)] = 1 }
            while !control.isCancelled { WakeUp().wait(milliseconds: 5) }
            throw DrayError(.cancelled, "stopped")
        }
        let coordinator = rig.coordinator()
        let worker = rig.worker(runner)
        try coordinator.start()
        try worker.start()
        rig.submit("a")
        let end = try rig.end(of: "a")
        #expect(end.state == .failed && end.error?.message.contains("3 times") == true)
        let lives = rig.notices.withLock { notices in
            notices.worker.count { if case .failure(.restarting) = $0 { true } else { false } }
        }
        #expect(lives == 3)
        guard case .deadLetter(let letter)? = try rig.messages(Topics.deadLetters).first else {
            throw DrayError(.bug, "there is no dead letter")
        }
        #expect(letter.unendedStarts == 3 && letter.task?.index == 3)
        coordinator.stop()
        worker.stop()
    }

    @Test("an outcome that the log will never take fails the job with the reason")
    func tooLargeResult() throws {
        let rig = try FleetRig()
        let runner = FakeRunner(count: 3) { index, _ throws(DrayError) in
            if index == 1 { rig.log.faults.withLock { $0.tooLarge[Topics.results] = 1 } }
        }
        let coordinator = rig.coordinator()
        let worker = rig.worker(runner, slots: 1)
        try coordinator.start()
        try worker.start()
        rig.submit("a")
        let end = try rig.end(of: "a")
        coordinator.stop()
        worker.stop()
        #expect(end.state == .failed && end.error?.kind == .unsupported)
    }

    @Test("an end that another coordinator wrote is heeded as it comes, and is told once")
    func liveRecords() throws {
        let rig = try FleetRig()
        let coordinator = rig.coordinator()
        try coordinator.start()
        rig.submit("a")
        rig.submit("b")
        while try rig.messages(Topics.jobs).count < 2 { WakeUp().wait(milliseconds: 5) }
        let number = rig.topics.partition(ofJob: "a")
        rig.send(PartitionID(Topics.jobs, number), key: "x", type: "dray.job.v1", [1, 2, 3])
        rig.send(PartitionID(Topics.jobs, number), key: "y", type: "", nil)
        var record = JobRecord(Submission(FleetRig.order("a")))
        record.state = .cancelled
        record.epoch = 7
        rig.send(.job(record), Topics.jobs, "a")
        #expect(try rig.end(of: "a").epoch == 7)
        coordinator.stop()
        let letters = try rig.messages(Topics.deadLetters)
        #expect(letters.count == 1)
        #expect(rig.notices.withLock { $0.ends.count } == 1)
        #expect(
            try rig.committed(Topics.jobs)[number]
                == rig.log.end(of: PartitionID(Topics.jobs, number))
        )
    }

    @Test("a partition that may have missed something is taken again, and no other is disturbed")
    func takesAgain() throws {
        let rig = try FleetRig()
        let coordinator = rig.coordinator()
        let worker = rig.worker(FakeRunner(count: 5))
        try coordinator.start()
        try rig.wait("both partitions are taken over") { $0.counts["takenOver"] == 2 }
        let task = TaskName(job: "a", step: .plan)
        let result = ResultMessage(task: task, attempt: 1, epoch: 1, run: "x/1", body: .started)
        rig.send(.result(result), Topics.results, "a")
        // Its letter says that what came before it was told.
        let place = PartitionID(Topics.results, rig.topics.partition(ofJob: "a"))
        rig.send(place, key: "a", type: "unknown", [])
        while try rig.messages(Topics.deadLetters).isEmpty { WakeUp().wait(milliseconds: 5) }
        rig.submit("a")
        let end = try {
            try worker.start()
            return try rig.end(of: "a")
        }()
        coordinator.stop()
        worker.stop()
        #expect(end.state == .finished)
        let counts = rig.notices.withLock { $0.counts }
        #expect(
            counts["takingAgain"] == 1 && counts["takenOver"] == 3 && counts["restarting"] == nil
        )
    }

    @Test(
        "a job is claimed once by whoever takes it over, whatever was reported meanwhile",
        arguments: [0, 3]
    )
    func claimsOnce(rangesDone: Int) throws {
        let rig = try FleetRig()
        rig.send(.job(JobRecord(Submission(FleetRig.order("a")))), Topics.jobs, "a")
        // A worker was faster: the job's next coordinator reads in the past what is news to its record.
        let name = TaskName(job: "a", step: .plan)
        let plan = PlanResult(
            planHash: "plan",
            rangeCount: 3,
            guestSize: 3 * FakeRunner.rangeSize,
            dataBytes: 0,
            firstPayload: nil,
            needsSeal: false
        )
        var reports = [(name, ResultMessage.Body.planned(plan))]
        for index in 0..<rangesDone {
            let range = TaskName(job: "a", step: .range, plan: "plan", index: index)
            reports.append((range, CoordinatorHarness.result(index)))
        }
        for (task, body) in reports {
            let result = ResultMessage(task: task, attempt: 1, epoch: 1, run: "x/1", body: body)
            rig.send(.result(result), Topics.results, "a")
        }
        let coordinator = rig.coordinator()
        let worker = rig.worker(FakeRunner(count: 3))
        try coordinator.start()
        try worker.start()
        let end = try rig.end(of: "a")
        coordinator.stop()
        worker.stop()
        #expect(end.state == .finished && end.epoch == 2)
    }

    @Test("records in a partition that is not theirs are buried")
    func wrongPartition() throws {
        let rig = try FleetRig()
        let coordinator = rig.coordinator()
        try coordinator.start()
        let wrong = PartitionID(Topics.requests, 1 - rig.topics.partition(ofJob: "a"))
        rig.send(wrong, key: "a", type: "dray.request.cancel.v1", Array(#"{"id":"a"}"#.utf8))
        rig.send(wrong, key: "a", type: "dray.request.submit.v1", Array("{}".utf8))
        rig.send(
            PartitionID(Topics.requests, 1 - wrong.partition),
            key: "a",
            type: "dray.request.submit.v1",
            Array("{}".utf8)
        )
        let end = try rig.end(of: "a")
        coordinator.stop()
        #expect(end.state == .failed && end.error?.kind == .invalid)
        #expect(try rig.messages(Topics.deadLetters).count == 3)
    }

    @Test("records of jobs that ended long ago are removed, those of others stay")
    func housekeeping() throws {
        let rig = try FleetRig(topics: Topics())
        for (id, state) in [("old", .finished), ("cut-off", .running)]
            as [(String, JobRecord.State)]
        {
            var record = JobRecord(Submission(FleetRig.order(id)))
            record.state = state
            rig.send(.job(record), Topics.jobs, id)
            let isEnd = state.isEnd
            let control = ControlRecord(job: id, state: isEnd ? .finished : .running, epoch: 1)
            let note = MessageCodec(source: "test").record(
                .control(control),
                to: PartitionID(Topics.control, 0),
                wallMilliseconds: 0
            )
            rig.send(note)
        }
        let coordinator = rig.coordinator {
            $0.retention?.jobs = 50
            $0.retention?.control = 50
        }
        try coordinator.start()
        while try rig.keys(Topics.jobs) != ["cut-off"] || rig.keys(Topics.control) != ["cut-off"] {
            WakeUp().wait(milliseconds: 10)
        }
        coordinator.stop()
        // Another coordinator reads the log as it is now.
        let next = rig.coordinator("next")
        let worker = rig.worker(FakeRunner(count: 1))
        try next.start()
        try worker.start()
        // Each of the two has claimed the job, once.
        let epoch = try rig.end(of: "cut-off").epoch
        #expect(epoch == 3)
        next.stop()
        worker.stop()
        #expect(try rig.messages(Topics.deadLetters).isEmpty)
    }

    /// A fleet that runs and has done one job.
    private func fleetAfterJob() throws -> (FleetRig, CoordinatorService, WorkerService) {
        let rig = try FleetRig(topics: Topics())
        let coordinator = rig.coordinator()
        let worker = rig.worker(FakeRunner(count: 3))
        try coordinator.start()
        try worker.start()
        rig.submit("a")
        _ = try rig.end(of: "a")
        return (rig, coordinator, worker)
    }

    @Test("a coordinator that leaves commits what it has dealt with")
    func leavingCommits() throws {
        let (rig, coordinator, worker) = try fleetAfterJob()
        worker.stop()
        coordinator.stop()
        for topic in [Topics.requests, Topics.results] {
            #expect(try rig.committed(topic) == [rig.log.end(of: PartitionID(topic, 0))])
        }
    }

    @Test("a coordinator commits where it is before its partitions are someone else's")
    func revokedCommits() throws {
        let (rig, coordinator, worker) = try fleetAfterJob()
        rig.log.faults.withLock { $0.revokes[Topics.results] = 1 }
        let results = PartitionID(Topics.results, 0)
        while try rig.committed(Topics.results) != [rig.log.end(of: results)] {
            WakeUp().wait(milliseconds: 5)
        }
        worker.stop()
        coordinator.stop()
    }

    @Test(
        "a worker leaves in time though a step hangs, and a step that heeds its stop is waited for"
    )
    func stopIsBounded() throws {
        let rig = try FleetRig()
        let release = Atomic(false)
        let isRunning = Atomic(false)
        let runner = FakeRunner(count: 1) { _, _ in
            isRunning.store(true, ordering: .relaxed)
            while !release.load(ordering: .relaxed) { WakeUp().wait(milliseconds: 10) }
        }
        let coordinator = rig.coordinator()
        let worker = rig.worker(runner)
        try coordinator.start()
        try worker.start()
        rig.submit("a")
        while !isRunning.load(ordering: .relaxed) { WakeUp().wait(milliseconds: 5) }
        let start = LogClock.monotonicMilliseconds()
        worker.stop()
        #expect(LogClock.monotonicMilliseconds() - start < 10_000)
        let isLeft = rig.notices.withLock { notices in
            notices.worker.contains { if case .leftBehind = $0 { true } else { false } }
        }
        #expect(isLeft)
        release.store(true, ordering: .relaxed)
        coordinator.stop()
    }
}
