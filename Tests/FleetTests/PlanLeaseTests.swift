// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import Conversion
import Fleet
import Synchronization
import TaskLog
import Testing

/// Plan steps on workers that the log does not hear of.
@Suite(.timeLimit(.minutes(15)))
struct PlanLeaseTests {
    @Test("a plan step that the log hears of goes on past its lease")
    func renews() throws {
        let rig = try FleetRig()
        let runner = FakeRunner(
            count: 3,
            onPlan: { _, control throws(DrayError) in
                // Four heartbeats, where three without a word in the log would end it.
                let end = LogClock.monotonicMilliseconds() + 4 * 200
                while LogClock.monotonicMilliseconds() < end { WakeUp().wait(milliseconds: 10) }
                // A machine that is held up for so long that no heartbeat came through may plan again.
                if control.isCancelled { throw DrayError(.cancelled, "stopped") }
            }
        )
        try finish(rig, runner)
    }

    @Test("a plan step that the log does not hear of any more stops, and is run again")
    func ends() throws {
        let rig = try FleetRig()
        let hasStopped = Atomic(false)
        let runner = FakeRunner(
            count: 3,
            onPlan: { before, control throws(DrayError) in
                guard before == 0 else { return }
                rig.log.faults.withLock { $0.losses[Topics.results] = .max }
                let end = LogClock.monotonicMilliseconds() + 180_000
                while !control.isCancelled, LogClock.monotonicMilliseconds() < end {
                    WakeUp().wait(milliseconds: 10)
                }
                rig.log.faults.withLock { $0.losses = [:] }
                hasStopped.store(control.isCancelled, ordering: .relaxed)
                throw DrayError(.cancelled, "stopped")
            }
        )
        try finish(rig, runner)
        let isStopped = hasStopped.load(ordering: .relaxed)
        #expect(isStopped)
        #expect(runner.record.withLock { $0.plans } > 1)
    }

    /// Runs one job with one worker, well.
    private func finish(_ rig: FleetRig, _ runner: FakeRunner) throws {
        let coordinator = rig.coordinator()
        let worker = rig.worker(runner)
        try coordinator.start()
        try worker.start()
        rig.submit("a", converts: true)
        #expect(try rig.end(of: "a").state == .finished)
        coordinator.stop()
        worker.stop()
    }
}
