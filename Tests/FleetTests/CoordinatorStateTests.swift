// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import Conversion
import Digest
import DiskImage
import Fleet
import TaskLog
import Testing

struct CoordinatorStateTests {
    private typealias Harness = CoordinatorHarness

    @Test("a job has no more out than the window, nor ranges far ahead of one that is missing")
    func window() throws {
        var harness = Harness { $0.reach = 2 }
        harness.submit("a")
        try harness.plan("a", ranges: 1000)
        #expect(harness.out.count == 16)
        var done: Set<Int> = []
        while let task = harness.take({ $0.index != 0 }) {
            done.insert(task.index)
            harness.report(task, Harness.result(task.index))
            #expect(harness.out.count <= 16)
        }
        #expect(done == Set(1..<32))
        #expect(harness.events.allSatisfy { $0.id != "a/range/1" })
        let first = try harness.taken()
        harness.report(first, Harness.result(0))
        #expect(harness.events.map(\.id).suffix(32) == (0..<32).map { "a/range/\($0)" })
    }

    @Test("a huge job leaves room for small ones, by weight")
    func fairness() throws {
        var harness = Harness()
        harness.submit("huge")
        try harness.plan("huge", ranges: 10_000)
        for number in 0..<10 { harness.submit("small-\(number)") }
        var turns = 0
        while harness.ends.count < 10 {
            let task = try harness.taken()
            turns += 1
            if task.step == .plan {
                harness.out.insert(task, at: 0)
                try harness.plan(task.order.id, ranges: 1)
            } else {
                harness.report(task, Harness.result(task.index))
            }
            try #require(turns < 150)
        }
        #expect(harness.ends.values.allSatisfy { $0.state == .finished })
    }

    @Test("a job that comes when the window is full gets its first task out at once, within bounds")
    func firstTasks() throws {
        var harness = Harness { $0.window = 16 }
        harness.submit("huge")
        try harness.plan("huge", ranges: 10_000)
        #expect(harness.out.count == 16)
        harness.submit("small")
        #expect(harness.out.last?.order.id == "small")
        for number in 0..<100 { harness.submit("small-\(number)") }
        #expect(harness.out.count == 32)
        #expect(Set(harness.out.map(\.order.id)).count == 17)
    }

    @Test("each class has its topic and its window")
    func classes() throws {
        var harness = Harness { $0.window = 16 }
        for priority in JobPriority.allCases {
            harness.submit(priority.rawValue, priority: priority)
            try harness.plan(priority.rawValue, ranges: 1000)
            #expect(harness.outTopics[priority.rawValue] == "tasks.\(priority.rawValue)")
        }
        #expect(harness.out.count == 48)
    }

    @Test("what a job has out grows with what is seen to run")
    func adaptiveWindow() throws {
        var harness = Harness {
            $0.window = 1024
            $0.firstWindow = 24
        }
        harness.submit("a")
        try harness.plan("a", ranges: 10_000)
        #expect(harness.out.count == 24)
        for (number, task) in harness.out.enumerated() {
            harness.report(task, .started, run: "w/\(number)")
        }
        #expect(harness.out.count == 72)
    }

    @Test("tasks are spread over the partitions, and one that got stuck goes to another one")
    func spreading() throws {
        var harness = Harness()
        harness.submit("a")
        try harness.plan("a", ranges: 12)
        let counts = Dictionary(grouping: harness.partitions.dropFirst(), by: { $0 }).mapValues(
            \.count
        )
        #expect(counts == [0: 4, 1: 4, 2: 4])
        let before = Array(harness.partitions.dropFirst())
        harness.partitions = []
        harness.now = try #require(harness.state.nextTick)
        harness.tell(.tick)
        #expect(harness.partitions.count == 12)
        #expect(zip(before, harness.partitions).allSatisfy { $0 != $1 })
    }

    @Test(
        "a request out of its limits ends as failed, once, and nothing is issued",
        arguments: [0, 101, -1, Int.max, Int.min]
    )
    func refusal(weight: Int) {
        var harness = Harness()
        harness.submit("a", weight: weight)
        harness.submit("a", weight: 1)
        harness.tell(.refused(job: "b", DrayError(.corrupt, "no JSON")))
        harness.tell(.tick)
        #expect(harness.ends["a"]?.error?.kind == .invalid)
        #expect(harness.ends["b"]?.error?.kind == .invalid)
        #expect(harness.ends.values.allSatisfy { $0.state == .failed })
        #expect(harness.out.isEmpty && harness.state.jobCount == 0)
        #expect(harness.events.map(\.id) == ["a/end", "b/end"])
    }

    @Test("an error that may pass is met with growing waits, then ends the job with a dead letter")
    func retries() throws {
        var harness = Harness()
        harness.submit("a")
        try harness.plan("a", ranges: 1)
        let error = DrayError(.resource, "no space", errno: 28)
        var waits: [Milliseconds] = []
        while harness.ends.isEmpty {
            let task = try harness.taken()
            let start = harness.now
            harness.report(task, .failed(error))
            while harness.out.isEmpty, harness.ends.isEmpty {
                harness.now = try #require(harness.state.nextTick)
                harness.tell(.tick)
            }
            waits.append(harness.now - start)
        }
        #expect(waits.count == 5 && waits.last == 0)
        for (wait, plain) in zip(waits, [1000, 2000, 4000, 8000] as [Milliseconds]) {
            #expect(wait >= plain * 8 / 10 && wait <= plain * 12 / 10)
        }
        #expect(harness.ends["a"]?.error == error)
        #expect(harness.letters.map(\.attempts) == [5])
        #expect(harness.events.filter { $0.id.contains("retrying") }.count == 4)
    }

    @Test("results that disagree fail the job with an alarm, repetitions do nothing")
    func contradiction() throws {
        var harness = Harness()
        harness.submit("a")
        try harness.plan("a", ranges: 3)
        let task = try harness.taken()
        harness.report(task, Harness.result(task.index))
        harness.report(task, Harness.result(task.index, data: 2))
        #expect(harness.ends.isEmpty)
        harness.report(task, Harness.result(task.index, digest: 2))
        #expect(harness.ends["a"]?.error?.kind == .bug)
    }

    @Test("places are dense, in the order of asking, and the same for a retry")
    func reservations() throws {
        var harness = Harness()
        harness.submit("a", converts: true)
        try harness.plan("a", ranges: 3, converts: true)
        let tasks = harness.out
        for (index, bytes) in [(2, 10), (0, 20), (2, 10), (1, 5)] as [(Int, UInt64)] {
            harness.report(tasks[index], .sized(SpaceRequest(bytes)))
        }
        let places = harness.controls.last?.reservations.map { ($0.index, $0.offset) } ?? []
        #expect(places.map(\.0) == [0, 1, 2] && places.map(\.1) == [1010, 1030, 1000])
        harness.report(tasks[2], .sized(SpaceRequest(11)))
        #expect(harness.controls.last?.state == .cancelled)
    }

    @Test("what is handed back while it waits is issued again when it can have its place")
    func handedBack() throws {
        var harness = Harness()
        harness.submit("a", converts: true)
        try harness.plan("a", ranges: 2, converts: true, isOrdered: true)
        let tasks = harness.out
        harness.report(tasks[1], .sized(SpaceRequest(7)))
        harness.report(tasks[1], .cancelled)
        #expect(harness.out.count == 2 && harness.controls.last?.reservations.isEmpty ?? true)
        harness.report(tasks[0], Harness.result(0))
        #expect(harness.out.last?.index == 1 && harness.out.last?.attempt == 2)
    }

    @Test("a task that begins three times without an end is refused, and its job fails")
    func poison() throws {
        var harness = Harness()
        harness.submit("a")
        try harness.plan("a", ranges: 1)
        for number in 0..<3 {
            let task = try harness.taken()
            #expect(task.isIsolated == (number > 0))
            harness.report(task, .started, run: "worker-\(number)/1")
            while harness.out.isEmpty, harness.ends.isEmpty {
                harness.now = try #require(harness.state.nextTick)
                harness.tell(.tick)
            }
        }
        #expect(harness.controls.contains { $0.refused == [0] })
        #expect(harness.ends["a"]?.state == .failed)
        #expect(harness.letters.first?.unendedStarts == 3)
    }

    private static func placed(_ index: Int, at place: UInt64) -> ResultMessage.Body {
        let body = Harness.result(index)
        guard case .ranged(var result) = body else { return body }
        result.placement = RangePlacement(
            range: result.range,
            reservation: HostOffset(place),
            runs: [RangePlacement.Run(.data, 1)]
        )
        return .ranged(result)
    }

    @Test("the only range has its place from the beginning, and another one is an alarm")
    func solePlace() throws {
        for (place, state) in [(1000, nil), (2000, JobRecord.State.failed)]
            as [(UInt64, JobRecord.State?)]
        {
            var harness = Harness()
            harness.submit("a", converts: true)
            try harness.plan("a", ranges: 1, converts: true)
            let range = try harness.taken()
            #expect(range.place == 1000)
            harness.report(range, Self.placed(0, at: place))
            if state != nil {
                harness.report(try harness.taken { $0.step == .discard }, .discarded)
            }
            #expect(harness.ends["a"]?.state == state)
        }
    }

    @Test("a seal is given the results where they are few", arguments: [0, 1, 8, 9])
    func givenResults(count: Int) throws {
        var harness = Harness()
        harness.submit("a", converts: true)
        try harness.plan("a", ranges: count, converts: true)
        var place: UInt64 = 1000
        for task in (0..<count).compactMap({ index in harness.take { $0.index == index } }) {
            harness.report(task, .sized(SpaceRequest(10)))
            harness.report(task, Self.placed(task.index, at: place))
            place += 10
        }
        let seal = try harness.taken { $0.step == .seal }
        #expect(seal.rangeCount == count && seal.results?.to == harness.offset)
        guard count <= GivenResults.mostRanges else {
            #expect(seal.given == nil)
            return
        }
        let given = try #require(seal.given?.results)
        #expect(given.map(\.range.start.bytes) == (0..<count).map { UInt64($0) << 25 })
        #expect(given.allSatisfy { $0.digest == nil && $0.placement != nil })
    }

    @Test("a cancelled job stops its tasks, cleans up, and only then has ended")
    func cancel() throws {
        var harness = Harness()
        harness.submit("a", converts: true)
        try harness.plan("a", ranges: 3, converts: true)
        harness.tell(.request(.cancel("a")))
        harness.tell(.tick)
        #expect(harness.controls.last?.state == .cancelled)
        for task in harness.out { harness.report(task, .cancelled) }
        let discard = try harness.taken { $0.step == .discard }
        #expect(harness.ends.isEmpty)
        harness.report(discard, .discarded)
        #expect(harness.ends["a"]?.state == .cancelled)
        #expect(harness.controls.last?.state == .finished)
        #expect(harness.state.jobCount == 0)
    }

    @Test(
        "what a plan step may have left that reports after the end is removed, again where that fails"
    )
    func latePlan() throws {
        var harness = Harness()
        harness.submit("a", converts: true)
        let plan = try #require(harness.out.first)
        try harness.plan("a", ranges: 0, converts: true)
        let seal = try harness.taken { $0.step == .seal }
        harness.report(seal, .sealed(SealResult(targetLength: 1)))
        #expect(harness.ends["a"]?.state == .finished && harness.out.isEmpty)
        harness.report(plan, .cancelled)
        var attempts: Set<Int> = []
        for _ in 0..<3 {
            let discard = try harness.taken { $0.step == .discard }
            #expect(attempts.insert(discard.attempt).inserted)
            harness.report(discard, .failed(DrayError(.resource, "no permission")))
        }
        let last = try harness.taken { $0.step == .discard }
        harness.report(last, .discarded)
        #expect(harness.out.isEmpty && harness.state.jobCount == 0)
    }

    @Test("its own end is told once, whether the log confirms it first or it is read first")
    func ownEnd() throws {
        var harness = Harness()
        harness.holdsRecords = true
        harness.submit("a")
        harness.confirmRecords()
        try harness.plan("a", ranges: 0)
        let end = try #require(harness.held.last)
        #expect(end.state == .finished && harness.ends.isEmpty)
        harness.tell(.jobRecord(end))
        #expect(harness.ends["a"] == end)
        harness.ends = [:]
        harness.confirmRecords()
        harness.tell(.jobRecord(end))
        harness.tell(.tick)
        #expect(harness.ends.isEmpty && harness.state.jobCount == 0)
    }

    @Test("workers are told of an epoch only when the job's record with it is durable")
    func durableEpoch() throws {
        var harness = Harness()
        harness.submit("a", converts: true)
        try harness.plan("a", ranges: 1, converts: true)
        let range = try harness.taken()
        harness.holdsRecords = true
        // Someone who was replaced meanwhile claims the job.
        var claim = JobRecord(Submission(range.order))
        claim.epoch = 2
        harness.tell(.jobRecord(claim))
        harness.report(range, .sized(SpaceRequest(10)))
        #expect(harness.controls.allSatisfy { $0.epoch == 1 })
        harness.confirmRecords()
        let control = try #require(harness.controls.last)
        #expect(control.epoch == 3)
        #expect(control.reservations == [ControlRecord.Reservation(index: 0, offset: 1000)])
    }

    @Test("what a plan left that reported late is removed, whoever ended the job")
    func latePlanOfEndedJob() throws {
        var harness = Harness()
        harness.submit("a", converts: true)
        let plan = try harness.taken()
        harness.out.append(plan)
        try harness.plan("a", ranges: 1, converts: true)
        harness.report(try harness.taken { $0.step == .range }, Harness.result(0))
        #expect(harness.take { $0.step == .seal } != nil)
        harness.out = [plan]
        try harness.plan("a", ranges: 1, converts: true)
        // Someone who had the job meanwhile sealed it, and did not read that.
        var end = JobRecord(Submission(plan.order))
        end.state = .finished
        harness.tell(.jobRecord(end))
        harness.tell(.tick)
        #expect(harness.out.map(\.step) == [.discard])
    }

    /// A coordinator that takes over a job which its predecessor had begun to fail, with a plan step that began.
    private static func takenWhileFailing(hasEnded: Bool) -> (Harness, TaskMessage) {
        var harness = Harness()
        harness.tell(.lost(partition: 0))
        harness.tell(.taken(partition: 0, from: 0))
        var spec = JobSpec(kind: .convert, sources: [])
        spec.target = TargetSpec(path: "t", format: .qcow2)
        let order = JobOrder(id: "a", spec: spec)
        var record = JobRecord(Submission(order))
        record.state = .failing
        harness.tell(.jobRecord(record))
        let name = TaskName(job: "a", step: .plan)
        let plan = TaskMessage(order: order, name: name, attempt: 1, epoch: 1)
        harness.report(plan, .started)
        if hasEnded { harness.report(plan, .cancelled) }
        harness.tell(.rebuilt(partition: 0))
        return (harness, plan)
    }

    @Test("what another coordinator began to end is cleaned up at once where nothing of it runs")
    func takenAtRest() throws {
        var (harness, _) = Self.takenWhileFailing(hasEnded: true)
        harness.report(try harness.taken { $0.step == .discard }, .discarded)
        #expect(harness.ends["a"]?.state == .failed)
    }

    @Test("else when that has ended, or after seconds", arguments: [true, false])
    func takenAtWork(ends: Bool) throws {
        var (harness, plan) = Self.takenWhileFailing(hasEnded: false)
        #expect(harness.out.isEmpty)
        if ends {
            harness.report(plan, .cancelled)
        } else {
            harness.now = try #require(harness.state.nextTick)
            harness.tell(.tick)
            #expect(harness.now <= 10_000)
        }
        harness.report(try harness.taken { $0.step == .discard }, .discarded)
        #expect(harness.ends["a"]?.state == .failed)
    }

    @Test("a job that someone ended before its request came is not begun")
    func foreignEnd() {
        var harness = Harness()
        let order = JobOrder(id: "a", spec: JobSpec(kind: .checksum, sources: []))
        var record = JobRecord(Submission(order))
        record.state = .finished
        harness.tell(.jobRecord(record))
        harness.submit("a")
        #expect(harness.out.isEmpty && harness.state.jobCount == 0)
    }

    @Test("results are kept while an unfinished job needs them, and no longer")
    func floor() throws {
        var harness = Harness()
        harness.submit("a")
        try harness.plan("a", ranges: 2)
        #expect(harness.state.floors()[0] == 0)
        while let task = harness.take() { harness.report(task, Harness.result(task.index)) }
        #expect(harness.state.floors()[0] == harness.offset)
    }

    @Test("a plan of too many ranges is refused")
    func hugePlan() throws {
        var harness = Harness()
        harness.submit("a")
        try harness.plan("a", ranges: .max)
        #expect(harness.ends["a"]?.error?.kind == .unsupported)
    }
}
