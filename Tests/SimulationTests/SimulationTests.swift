// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import Fleet
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(3)))
struct SimulationTests {
    @Test("without faults every job finishes", arguments: SeededGenerator.seeds(20))
    func calm(seed: UInt64) {
        let world = Simulation(seed: seed, faults: Faults())
        let states = world.run()
        #expect(world.violations.isEmpty, "DRAY_SEED=\(seed)")
        #expect(states[.finished] == world.jobs.count)
    }

    @Test("whatever fails, every job ends, with the right image, its events in order, nothing left")
    func faults() {
        var states: [JobRecord.State: Int] = [:]
        let seeds = SeededGenerator.seeds(300)
        for seed in seeds {
            let world = Simulation(seed: seed)
            states.merge(world.run()) { $0 + $1 }
            guard !world.violations.isEmpty else { continue }
            Issue.record("DRAY_SEED=\(seed): \(world.violations) with \(world.faults)")
            return
        }
        print("simulation: \(seeds.count) seeds, \(states)")
        guard seeds.count > 1 else { return }
        let count = states.values.reduce(0, +)
        #expect(states[.finished] ?? 0 > count / 2, "most jobs end well")
        #expect(states[.failed] ?? 0 > 0 && states[.cancelled] ?? 0 > 0)
    }
}
