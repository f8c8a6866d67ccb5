// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import Fleet
import Synchronization
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(15)))
struct SimulationTests {
    @Test("without faults every job finishes", arguments: SeededGenerator.seeds(20))
    func calm(seed: UInt64) {
        let world = Simulation(seed: seed, faults: Faults())
        let states = world.run()
        #expect(world.violations.isEmpty, "DRAY_SEED=\(seed)")
        #expect(states[.finished] == world.jobs.count)
    }

    /// Two at once, one for each processor of a small machine. The seeds of a round follow from one number.
    @Test(
        "whatever fails, every job ends, with the right image, its events in order, nothing left",
        arguments: SeededGenerator.seeds(2)
    )
    func faults(start: UInt64) async {
        let isReplay = environmentVariable("DRAY_SEED") != nil
        let seeds = isReplay ? [start] : (0..<1000).map { SeededGenerator.mix(start &+ $0) >> 8 }
        var states: [JobRecord.State: Int] = [:]
        for seed in seeds {
            // Other suites have times to keep, and as few threads.
            await Task.yield()
            let world = Simulation(seed: seed)
            states.merge(world.run()) { $0 + $1 }
            guard !world.violations.isEmpty else { continue }
            Issue.record("DRAY_SEED=\(seed): \(world.violations) with \(world.faults)")
            return
        }
        guard !isReplay else { return }
        let count = states.values.reduce(0, +)
        #expect(states[.finished] ?? 0 > count / 2, "most jobs end well")
        #expect(states[.failed] ?? 0 > 0 && states[.cancelled] ?? 0 > 0)
    }

    /// A control record of an epoch that `jobs` never had made workers deaf; reports of plans that came late were forgotten with their jobs.
    @Test(
        "what once went wrong does not again",
        arguments: [
            15_710_450_319_212_010, 31_432_602_476_886_421, 57_496_493_683_572_975,
            63_300_306_088_491_116, 20_212_913_340_126_638, 32_431_881_679_434_298,
            26_929_781_076_679_637, 13_028_570_092_712_686, 49_427_879_025_848_289,
        ] as [UInt64]
    )
    func regressions(seed: UInt64) {
        let world = Simulation(seed: seed)
        _ = world.run()
        #expect(world.violations.isEmpty, "DRAY_SEED=\(seed)")
    }

    @Test("the same seed does the same")
    func replays() {
        let first = Simulation(seed: 4711)
        let second = Simulation(seed: 4711)
        #expect(first.run() == second.run())
        #expect(first.steps == second.steps)
    }

    /// With leases that never end, only redelivery brings a killed worker's tasks back.
    @Test("tasks of killed workers come back without deadlines")
    func redelivery() {
        var faults = Faults()
        faults.workerKills = 500
        faults.refused = 10
        for seed in SeededGenerator.seeds(50) {
            let world = Simulation(seed: seed, faults: faults)
            world.endLeases()
            _ = world.run()
            #expect(world.violations.isEmpty, "DRAY_SEED=\(seed)")
        }
    }

    @Test("the simulation notices when a rule is broken", arguments: Mutation.allCases)
    func mutations(mutation: Mutation) async {
        for seed in 0..<400 as Range<UInt64> {
            await Task.yield()
            let world = Simulation(seed: seed, mutation: mutation)
            if mutation == .acknowledgesFirst { world.endLeases() }
            _ = world.run()
            if world.violations.contains(where: mutation.isNoticed) { return }
        }
        Issue.record("no seed shows that \(mutation.rawValue)")
    }
}

extension Mutation {
    /// Whether a violation is what this mutation leads to.
    func isNoticed(_ violation: String) -> Bool {
        switch self {
        case .acknowledgesFirst: violation.contains("never ended")
        case .commitsTooFar, .computesWrongly:
            violation.contains("integrity alarm") || violation.contains("wrong image")
        case .opensTheGate: violation.contains("written to after")
        case .shufflesEvents: violation.contains("came before")
        case .keepsLeftovers: violation.contains("left its target")
        }
    }
}
