// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import Conversion
import DiskImage
import Fleet
import TaskLog
import TestSupport
import Testing

struct WorkerStateTests {
    private static let partition = PartitionID(Topics.tasks(.normal), 0)

    /// A worker whose actions are noted.
    private struct Harness {
        var state: WorkerState
        var now: Milliseconds = 0
        var began: [RunNumber] = []
        var steps: [Step] = []
        var published: [(message: ResultMessage, token: UInt64)] = []
        var commits: [LogPosition] = []
        var stopped: [RunNumber] = []
        var leaseEnds: [RunNumber: Milliseconds] = [:]
        var places: [RunNumber: UInt64] = [:]
        var isDrained = false

        init(slots: Int = 2) {
            var settings = WorkerSettings(name: "w", slots: slots)
            settings.commitInterval = 0
            state = WorkerState(settings: settings)
            tell(.assigned([LogPosition(WorkerStateTests.partition, offset: 0)]))
        }

        mutating func tell(_ event: WorkerEvent) {
            for action in state.handle(event, now: now) {
                switch action {
                case .begin(let number, let task, let end):
                    began.append(number)
                    steps.append(task.step)
                    leaseEnds[number] = end
                case .renew(let number, let end): leaseEnds[number] = end
                case .publish(let message, let token): published.append((message, token))
                case .commit(let places): commits += places
                case .stop(let number): stopped.append(number)
                case .place(let number, let offset): places[number] = offset.bytes
                case .drained: isDrained = true
                case .deadLetter: break
                }
            }
        }

        /// A plan task of a job with a target.
        mutating func plan(_ job: String, offset: Int64) {
            var spec = JobSpec(kind: .convert, sources: [])
            spec.target = TargetSpec(path: "t", format: .raw)
            let name = TaskName(job: job, step: .plan)
            let order = JobOrder(id: job, spec: spec)
            let task = TaskMessage(order: order, name: name, attempt: 1, epoch: 1)
            tell(.task(task, WorkerStateTests.partition, offset: offset))
            tell(.tick)
        }

        mutating func task(_ index: Int, attempt: Int = 1, isIsolated: Bool = false, offset: Int64)
        {
            let order = JobOrder(id: "a", spec: JobSpec(kind: .checksum, sources: []))
            let task = TaskMessage(
                order: order,
                name: TaskName(job: "a", step: .range, plan: "p", index: index),
                attempt: attempt,
                epoch: 1,
                isIsolated: isIsolated
            )
            tell(.task(task, WorkerStateTests.partition, offset: offset))
            tell(.tick)
        }

        /// Loses the partition and gets it again, from its beginning.
        mutating func reassign() {
            tell(.revoked([WorkerStateTests.partition]))
            tell(.assigned([LogPosition(WorkerStateTests.partition, offset: 0)]))
        }

        /// The log takes everything that was published.
        mutating func deliver() {
            while !published.isEmpty {
                let token = published.removeFirst().token
                tell(.delivered(token: token, isDurable: true))
            }
            tell(.tick)
        }
    }

    @Test("a task counts as done when its outcome is durable, not before")
    func publishesFirst() throws {
        var harness = Harness()
        harness.task(0, offset: 0)
        #expect(harness.began.isEmpty, "a run is announced before it begins")
        harness.deliver()
        harness.tell(.ended(try #require(harness.began.first), .discarded))
        harness.tell(.tick)
        #expect(harness.commits.allSatisfy { $0.offset == 0 })
        let token = try #require(harness.published.last?.token)
        harness.tell(.delivered(token: token, isDurable: false))
        harness.tell(.tick)
        #expect(harness.commits.allSatisfy { $0.offset == 0 })
        harness.now = 10_000
        harness.tell(.tick)
        harness.deliver()
        #expect(harness.commits.last?.offset == 1)
    }

    @Test("no more is taken in than there are credits for")
    func credits() {
        var harness = Harness(slots: 3)
        #expect(harness.state.credits == 6)
        for index in 0..<6 { harness.task(index, offset: Int64(index)) }
        #expect(harness.state.credits == 0)
        harness.deliver()
        #expect(harness.began.count == 3)
    }

    @Test("a range whose task names its place need not ask, unless that is not as it needs it")
    func givenPlace() throws {
        var harness = Harness()
        for (index, place) in [(0, 4096), (1, 1000)] as [(Int, UInt64)] {
            let task = TaskMessage(
                order: JobOrder(id: "a", spec: JobSpec(kind: .convert, sources: [])),
                name: TaskName(job: "a", step: .range, plan: "p", index: index),
                attempt: 1,
                epoch: 1,
                place: place
            )
            tell(task, to: &harness, offset: Int64(index))
            let number = try #require(harness.began.last)
            harness.published = []
            harness.tell(.sized(number, SpaceRequest(0, alignedBytes: 10, alignment: 4096)))
            #expect(harness.places[number] == (index == 0 ? 4096 : nil))
            #expect(harness.published.count == index)
        }
    }

    private func tell(_ task: TaskMessage, to harness: inout Harness, offset: Int64) {
        harness.tell(.task(task, Self.partition, offset: offset))
        harness.deliver()
    }

    @Test("a record that comes again waits for the same run")
    func redelivery() throws {
        var harness = Harness()
        harness.task(0, offset: 0)
        harness.deliver()
        harness.reassign()
        harness.task(0, offset: 0)
        #expect(harness.began.count == 1)
        harness.tell(.ended(try #require(harness.began.first), .discarded))
        harness.deliver()
        #expect(harness.commits.last?.offset == 1)
        harness.reassign()
        harness.task(0, offset: 0)
        harness.deliver()
        #expect(harness.began.count == 1, "its outcome is known")
        harness.task(0, attempt: 2, offset: 1)
        harness.deliver()
        #expect(harness.began.count == 2, "another attempt is another run")
    }

    @Test("an isolated task runs alone")
    func isolation() throws {
        var harness = Harness()
        harness.task(0, offset: 0)
        harness.deliver()
        harness.task(1, isIsolated: true, offset: 1)
        harness.task(2, offset: 2)
        harness.deliver()
        #expect(harness.began.count == 1)
        harness.tell(.ended(harness.began[0], .discarded))
        harness.deliver()
        #expect(harness.began.count == 2)
        harness.tell(.ended(harness.began[1], .discarded))
        harness.deliver()
        #expect(harness.began.count == 3)
    }

    @Test("an isolated task does not wait for ever for one that hangs, nor others for it")
    func isolationIsBounded() throws {
        var harness = Harness()
        harness.task(0, offset: 0)
        harness.deliver()
        harness.task(1, isIsolated: true, offset: 1)
        harness.task(2, offset: 2)
        harness.now = try #require(harness.state.nextTick)
        harness.tell(.tick)
        #expect(harness.published.first?.message.task.index == 1)
        #expect(harness.published.first?.message.body == .cancelled)
        harness.deliver()
        #expect(harness.began.count == 2)
    }

    @Test("a range that does nothing does not renew its lease; one that waits for its place does")
    func heartbeats() throws {
        var harness = Harness()
        harness.task(0, offset: 0)
        harness.deliver()
        let run = try #require(harness.began.first)
        let beats: [(bytes: UInt64, signs: UInt64, isHeard: Bool)] = [
            (0, 0, true), (0, 0, false), (5, 1, true), (5, 1, false), (5, 2, true),
        ]
        for (bytes, signs, isHeard) in beats {
            harness.now += 20_000
            harness.published = []
            harness.tell(.progress(run, bytes, signs: signs))
            #expect(harness.published.isEmpty != isHeard, "\(bytes) bytes, \(signs) signs")
        }
        harness.tell(.sized(run, SpaceRequest(100)))
        harness.now += 20_000
        harness.published = []
        harness.tell(.progress(run, 5, signs: 2))
        #expect(harness.published.map(\.message.body) == [.progress(5)])
    }

    @Test(
        "a plan step may go on for as long as the log has heard of it lately, other steps for ever"
    )
    func planLease() throws {
        var harness = Harness()
        harness.plan("a", offset: 0)
        harness.now = 1000
        harness.deliver()
        let plan = try #require(harness.began.first)
        // What counts is when the report was made, not when the log had it.
        #expect(harness.leaseEnds[plan] == 45_000)
        harness.now = 20_000
        harness.published = []
        harness.tell(.progress(plan, 0, signs: 1))
        let beat = try #require(harness.published.first)
        #expect(harness.leaseEnds[plan] == 45_000)
        harness.now = 21_000
        harness.tell(.delivered(token: beat.token, isDurable: true))
        #expect(harness.leaseEnds[plan] == 65_000)
        harness.now = 40_000
        harness.published = []
        harness.tell(.progress(plan, 0, signs: 2))
        let lost = try #require(harness.published.first)
        harness.tell(.delivered(token: lost.token, isDurable: false))
        #expect(harness.leaseEnds[plan] == 65_000)
        harness.published = []
        harness.task(0, offset: 1)
        harness.deliver()
        #expect(harness.leaseEnds[harness.began[1]] == .max)
    }

    @Test("what a plan made that ends after its job is removed before the task counts as done")
    func latePlan() throws {
        var harness = Harness()
        harness.plan("a", offset: 0)
        harness.deliver()
        harness.tell(.control(ControlRecord(job: "a", state: .finished, epoch: 1)))
        #expect(harness.stopped == harness.began)
        let plan = PlanResult(
            planHash: "p",
            rangeCount: 1,
            guestSize: 1,
            dataBytes: 1,
            firstPayload: nil,
            needsSeal: true
        )
        harness.tell(.ended(harness.began[0], .planned(plan)))
        #expect(harness.steps == [.plan, .discard] && harness.published.isEmpty)
        let failure = DrayError(.resource, "no permission")
        harness.tell(.ended(harness.began[1], .failed(failure)))
        harness.now = try #require(harness.state.nextTick)
        harness.tell(.tick)
        #expect(
            harness.steps == [.plan, .discard, .discard]
                && harness.commits.allSatisfy { $0.offset == 0 }
        )
        harness.tell(.ended(harness.began[2], .discarded))
        harness.deliver()
        #expect(harness.commits.last?.offset == 1)
    }

    @Test(
        "a plan task that comes after its job's end is not run, but what an earlier run made is removed"
    )
    func redeliveredPlan() throws {
        var harness = Harness()
        harness.tell(.control(ControlRecord(job: "a", state: .finished, epoch: 1)))
        harness.plan("a", offset: 0)
        #expect(harness.steps == [.discard] && harness.published.isEmpty)
        harness.tell(.ended(harness.began[0], .discarded))
        #expect(harness.published.map(\.message.body) == [.cancelled])
    }

    @Test("while ranges wait for their places others run; who waits too long is handed back")
    func parking() throws {
        var harness = Harness(slots: 2)
        for index in 0..<4 { harness.task(index, offset: Int64(index)) }
        harness.deliver()
        #expect(harness.began.count == 2 && harness.state.credits == 0)
        for step in 0..<2 {
            harness.tell(.sized(harness.began[step], SpaceRequest(100)))
            harness.deliver()
            #expect(harness.began.count == 3 + step && harness.state.credits == step + 1)
        }
        for index in 4..<6 { harness.task(index, offset: Int64(index)) }
        for run in harness.began[2...3] { harness.tell(.sized(run, SpaceRequest(100))) }
        harness.deliver()
        #expect(
            harness.began.count == 4,
            "as many wait as there are slots, and as many beside them"
        )
        harness.now = 900
        harness.tell(.tick)
        #expect(harness.stopped.isEmpty)
        // Two tasks lie here that may be the ones that all wait for.
        harness.now = 1000
        harness.tell(.tick)
        #expect(harness.stopped == harness.began)
        harness.tell(.ended(harness.began[0], .cancelled))
        harness.deliver()
        #expect(harness.began.count == 5)
    }

    @Test("a place is asked for until it comes")
    func places() throws {
        var harness = Harness()
        harness.task(5, offset: 0)
        harness.deliver()
        let run = try #require(harness.began.first)
        harness.tell(.sized(run, SpaceRequest(100)))
        #expect(harness.published.map(\.message.body) == [.sized(SpaceRequest(100))])
        harness.now = try #require(harness.state.nextTick)
        harness.tell(.tick)
        #expect(harness.published.count == 2)
        let places = [ControlRecord.Reservation(index: 5, offset: 777)]
        let control = ControlRecord(
            job: "a",
            state: .running,
            epoch: 1,
            plan: "p",
            reservations: places
        )
        harness.tell(.control(control))
        #expect(harness.places == [run: 777])
        #expect(harness.state.nextTick == nil)
    }

    @Test("a cancelled job's tasks stop, and those that come later never begin")
    func cancel() throws {
        var harness = Harness()
        harness.task(0, offset: 0)
        harness.deliver()
        harness.tell(.control(ControlRecord(job: "a", state: .cancelled, epoch: 1)))
        #expect(harness.stopped == harness.began)
        harness.task(1, offset: 1)
        #expect(harness.published.last?.message.body == .cancelled)
        harness.deliver()
        #expect(harness.began.count == 1)
    }

    @Test("a worker that leaves lets its runs end within the grace time, and commits")
    func drain() throws {
        var harness = Harness(slots: 1)
        harness.task(0, offset: 0)
        harness.task(1, offset: 1)
        harness.deliver()
        harness.tell(.drain)
        harness.tell(.tick)
        #expect(harness.state.credits == 0 && harness.stopped.isEmpty && !harness.isDrained)
        harness.deliver()
        harness.now = 25_000
        harness.tell(.tick)
        #expect(harness.stopped == harness.began)
        harness.tell(.ended(try #require(harness.began.first), .cancelled))
        harness.deliver()
        #expect(harness.isDrained && harness.commits.last?.offset == 2)
    }

    @Test(
        "the tracker's commit lets another member skip what is done",
        arguments: SeededGenerator.seeds(20)
    )
    func tracker(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var tracker = OffsetTracker(LogPosition(Self.partition, offset: 100))
        var open: Set<Int64> = []
        var done: Set<Int64> = []
        var next: Int64 = 100
        for _ in 0..<2000 {
            if open.count < 300, Bool.random(using: &random) {
                // Offsets have gaps.
                next += Int64.random(in: 0...2, using: &random)
                let isTaken = tracker.take(next)
                #expect(isTaken)
                open.insert(next)
                next += 1
            } else if let offset = open.sorted().randomElement(using: &random) {
                tracker.finish(offset)
                open.remove(offset)
                done.insert(offset)
            }
        }
        #expect(tracker.base == open.min() ?? next)
        let committed = tracker.commit()
        let place = try #require(committed)
        #expect(place.metadata.utf8.count <= OffsetTracker.largestMetadata)
        let repetition = tracker.commit()
        #expect(repetition == nil)
        var heir = OffsetTracker(place)
        for offset in place.offset..<next + 10 where !done.contains(offset) {
            if open.contains(offset) || offset >= next {
                let isTaken = heir.take(offset)
                #expect(isTaken)
            }
        }
        var second = OffsetTracker(place)
        let again = done.filter { $0 >= place.offset }.sorted().filter { second.take($0) }
        #expect(again.isEmpty)
    }

    @Test(
        "metadata that cannot be read makes tasks run again, and nothing worse",
        arguments: [
            "", "x", "1:", "1:-5", "1:99999999999999999999", "1:5,9", "1:5,0", "1:5,a", "2:5",
        ]
    )
    func strangeMetadata(text: String) {
        var tracker = OffsetTracker(LogPosition(Self.partition, offset: 7, metadata: text))
        let taken = [tracker.take(7), tracker.take(8)]
        #expect(taken == [true, true])
    }
}
