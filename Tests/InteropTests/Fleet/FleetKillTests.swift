// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import TestSupport
internal import Testing

/// Random kills of everything, for as long as DRAY_KILLS says: every job ends right, once, without a person.
@Suite(.enabled(if: KafkaCluster.isAvailable, Comment(rawValue: KafkaCluster.reason)), .serialized)
struct FleetKillTests {
    /// How many kills a run makes; `make soak KILLS=N` sets it.
    private static let kills = environmentVariable("DRAY_KILLS").flatMap { Int($0) } ?? 60

    @Test(.timeLimit(.minutes(max(15, kills / 4))))
    func `whatever is killed, every job ends with the right image and digest`() throws {
        var generator = SeededGenerator(for: "fleet kills")
        let cluster = try KafkaCluster()
        let rig = try FleetRig(cluster)
        let siege = try FleetSiege(rig)
        for kill in 0..<Self.kills {
            try siege.keepBusy(using: &generator)
            usleep(UInt32.random(in: 50_000..<900_000, using: &generator))
            try siege.kill(using: &generator)
            try siege.judgeEnded()
            guard (kill + 1) % 50 == 0 else { continue }
            print("\(kill + 1) kills, \(siege.judged) jobs right, DRAY_SEED=\(generator.seed)")
            // Who stops a long run wants to know how far it came.
            fflush(nil)
        }
        try siege.judgeAll()
        #expect(siege.judged > Self.kills / 6, "hardly any job was done")
        let leftovers = try rig.leftovers(besides: siege.sources)
        #expect(leftovers == [], "\(rig.stories(of: leftovers))")
        print("survived \(Self.kills) kills, \(siege.judged) jobs, DRAY_SEED=\(generator.seed)")
    }

    @Test(.timeLimit(.minutes(15)))
    func `each of three brokers may be killed in turn`() throws {
        let cluster = try KafkaCluster(nodes: 3)
        let rig = try FleetRig(cluster)
        try rig.makeRaw("disk.raw", megabytes: 96)
        try rig.coordinator()
        try rig.worker("-m", "2", "--inject-delay", "30")
        let jobs = try ["raw", "qcow2", "qcow2"].enumerated().map { number, format in
            try rig.convert("disk.raw", "t\(number)", format)
        }
        for node in 1...3 {
            try cluster.kill(node)
            usleep(1_500_000)
            try cluster.resume(node)
        }
        for (number, job) in jobs.enumerated() {
            let end = try rig.watch(job)
            #expect(end.succeeded, "\(end.error)\(rig.logs)")
            try rig.expectSame("disk.raw", "t\(number)")
        }
        #expect(try rig.leftovers(besides: ["disk.raw", "t0", "t1", "t2"]) == [])
    }
}
