// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import Conversion
import DiskImage
import Fleet
import TaskLog
import TestSupport
import Testing

struct WorkerPlanTests {
    @Test(
        "a plan step may go on for as long as the log has heard of it lately, other steps for ever"
    )
    func planLease() throws {
        var harness = WorkerHarness()
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
        var harness = WorkerHarness()
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
        var harness = WorkerHarness()
        harness.tell(.control(ControlRecord(job: "a", state: .finished, epoch: 1)))
        harness.plan("a", offset: 0)
        #expect(harness.steps == [.discard] && harness.published.isEmpty)
        harness.tell(.ended(harness.began[0], .discarded))
        #expect(harness.published.map(\.message.body) == [.cancelled])
    }
}
