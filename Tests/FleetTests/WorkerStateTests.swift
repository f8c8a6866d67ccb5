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

    @Test("a task counts as done when its outcome is durable, not before")
    func publishesFirst() throws {
        var harness = WorkerHarness()
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
        var harness = WorkerHarness(slots: 3)
        #expect(harness.state.credits == 6)
        for index in 0..<6 { harness.task(index, offset: Int64(index)) }
        #expect(harness.state.credits == 0)
        harness.deliver()
        #expect(harness.began.count == 3)
    }

    @Test("a range whose task names its place need not ask, unless that is not as it needs it")
    func givenPlace() throws {
        var harness = WorkerHarness()
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

    private func tell(_ task: TaskMessage, to harness: inout WorkerHarness, offset: Int64) {
        harness.tell(.task(task, WorkerHarness.partition, offset: offset))
        harness.deliver()
    }

    @Test("a record that comes again waits for the same run")
    func redelivery() throws {
        var harness = WorkerHarness()
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
        var harness = WorkerHarness()
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
        var harness = WorkerHarness()
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
        var harness = WorkerHarness()
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

    @Test("while ranges wait for their places others run; who waits too long is handed back")
    func parking() throws {
        var harness = WorkerHarness(slots: 2)
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
        var harness = WorkerHarness()
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
        var harness = WorkerHarness()
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
        var harness = WorkerHarness(slots: 1)
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
}
