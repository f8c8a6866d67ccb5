// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import TestSupport
internal import Testing

/// What a fleet withstands, one rule of delivery after the other.
@Suite(.enabled(if: KafkaCluster.isAvailable, Comment(rawValue: KafkaCluster.reason)), .serialized)
struct FleetFailureTests {
    private func rig() throws -> FleetRig { try FleetRig(KafkaCluster.shared()) }

    /// Waits until the job has a result for some of its ranges.
    private func waitForRanges(_ rig: FleetRig, _ job: String, _ count: Int = 1) throws {
        try waitUntil("\(job) has \(count) ranges\(rig.logs)") {
            try rig.values(of: "results", format: "%k %h\n").count { line in
                line.hasPrefix(job) && line.contains("dray.result.range.v1")
            } >= count
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `a worker that is killed in the middle loses nothing`() throws {
        let rig = try rig()
        try rig.makeRaw("disk.raw", megabytes: 64)
        try rig.coordinator()
        let slow = ["--inject-delay", "20"]
        let victim = try rig.worker("-m", "2", slow[0], slow[1])
        let job = try rig.convert("disk.raw", "t.qcow2")
        try waitForRanges(rig, job)
        try rig.worker("-m", "2", slow[0], slow[1])
        victim.kill()
        #expect(try rig.watch(job).succeeded)
        try rig.expectSame("disk.raw", "t.qcow2")
        try rig.expectClean("t.qcow2")
        #expect(try rig.leftovers(besides: ["disk.raw", "t.qcow2"]) == [])
    }

    @Test(.timeLimit(.minutes(15)))
    func `a worker that is frozen past its session does not touch the sealed target`() throws {
        let rig = try rig()
        try rig.makeRaw("disk.raw", megabytes: 64)
        try rig.coordinator()
        let frozen = try rig.worker("-m", "3", "--inject-delay", "20")
        let job = try rig.convert("disk.raw", "t.raw", "raw")
        try waitForRanges(rig, job)
        frozen.tool.kill(signal: SIGSTOP)
        try rig.worker("-m", "3")
        let watcher = try rig.watcher(job)
        // One that was stopped in the middle of a write rightly holds the seal up until it goes on.
        let patience = ContinuousClock.now + .seconds(15)
        while watcher.isRunning, ContinuousClock.now < patience { usleep(20_000) }
        if watcher.isRunning { frozen.tool.kill(signal: SIGCONT) }
        #expect(try watcher.wait(limitSeconds: 300).succeeded, "\(rig.logs)")
        let before = try Tool.check([
            "bash", "-c", "stat -c '%y %i' \(rig.store("t.raw")); sha256sum \(rig.store("t.raw"))",
        ])
        frozen.tool.kill(signal: SIGCONT)
        // It has seen that its group went on without it when it drains and leaves.
        #expect(try frozen.stop() == 0, "\(rig.logs)")
        let after = try Tool.check([
            "bash", "-c", "stat -c '%y %i' \(rig.store("t.raw")); sha256sum \(rig.store("t.raw"))",
        ])
        #expect(before == after)
        try rig.expectSame("disk.raw", "t.raw")
        #expect(try rig.leftovers(besides: ["disk.raw", "t.raw"]) == [])
    }

    @Test(.timeLimit(.minutes(15)))
    func `tasks longer than max.poll.interval.ms are not taken away, and fast ones pass them`()
        throws
    {
        let rig = try rig()
        try rig.makeRaw("slow.raw", megabytes: 64)
        try rig.makeRaw("fast.raw", megabytes: 1)
        try rig.coordinator("--run-lease", "60")
        // Each range of 64 MiB makes over 50 requests of 400 ms: longer than the interval, and than the fast job on a slow machine.
        try rig.worker(
            "-m",
            "2",
            "--inject-delay",
            "400",
            "--kafka",
            "max.poll.interval.ms=6000"
        )
        let slow = try rig.submit("checksum", "--range-size", "64M", "s/slow.raw")
        try waitUntil("the slow range has begun") {
            try rig.values(of: "results", format: "%k %h\n").contains {
                $0.hasPrefix(slow) && $0.contains("started")
            }
        }
        let fast = try rig.submit("checksum", "s/fast.raw")
        #expect(try rig.watch(fast).succeeded)
        #expect(
            try rig.check("jobs", "--state", "running").contains(slow),
            "\(rig.story(of: fast))\(rig.story(of: slow))"
        )
        #expect(try rig.watch(slow).succeeded)
        let starts = try rig.values(of: "results", format: "%k %h %s\n").filter {
            $0.hasPrefix(slow) && $0.contains("started") && $0.contains("\"range\"")
        }
        #expect(starts.count == 1, "\(starts)")
    }

    @Test(.timeLimit(.minutes(15)))
    func `a task that kills its worker is dead-lettered after three, and the fleet lives`() throws {
        let rig = try rig()
        try rig.makeMixed("poison.raw", megabytes: 32)
        try rig.makeRaw("good.raw", megabytes: 1)
        // Kafka gives a dead worker's task to another long before the lease ends.
        try rig.coordinator("--run-lease", "6")
        // The shell's limit kills a worker that uses more than three seconds of a processor: only the range that is hard to compress
        // takes so long.
        let limit = "ulimit -t 3"
        var workers = try [
            rig.worker("-m", "1", before: limit), rig.worker("-m", "1", before: limit),
        ]
        let packing = [
            "-c", "--compression-level=22", "-o", "compression_type=zstd,cluster_size=2M",
        ]
        let names = ["--range-size=32M", "s/poison.raw", "s/p.qcow2"]
        let poison = try rig.submit(["convert", "-O", "qcow2"] + packing + names)
        let watcher = try rig.watcher(poison)
        var deaths = 0
        try waitUntil("the poison is given up\(rig.logs)", limitSeconds: 300) {
            for (index, worker) in workers.enumerated() where !worker.tool.isRunning {
                deaths += 1
                workers[index] = try rig.worker("-m", "1", before: limit)
            }
            return try rig.check("jobs", "--state", "failed").contains(poison)
        }
        let end = try watcher.wait(limitSeconds: 300)
        #expect(end.status == 1 && end.error.contains("began 3 times"), "\(end.error)")
        #expect(deaths == 3)
        #expect(try rig.check("deadletters").contains("\(poison) range 0"))
        #expect(try rig.watch(rig.submit("convert", "s/good.raw", "s/g.raw")).succeeded)
        #expect(try rig.leftovers(besides: ["poison.raw", "good.raw", "g.raw"]) == [])
    }

    @Test(.timeLimit(.minutes(15)))
    func `an error that may pass is tried again until it has passed`() throws {
        let rig = try rig()
        try rig.coordinator("--attempts", "50", "--backoff", "0.1")
        try rig.worker()
        let job = try rig.submit("checksum", "s/later.raw")
        try waitUntil("a retry is seen\(rig.logs)") {
            try rig.values(of: "events", format: "%k %h\n").contains {
                $0.hasPrefix(job) && $0.contains("retrying")
            }
        }
        try rig.makeRaw("later.tmp", megabytes: 2)
        try Tool.check(["mv", rig.store("later.tmp"), rig.store("later.raw")])
        let end = try rig.watch(job)
        #expect(end.succeeded && end.output.contains("again in"), "\(end.error)")
    }

    @Test(.timeLimit(.minutes(15)))
    func `cancelling in the middle leaves no target, no staging file and no task`() throws {
        let rig = try rig()
        try rig.makeRaw("disk.raw", megabytes: 64)
        try rig.coordinator()
        try rig.worker("-m", "2", "--inject-delay", "150")
        let job = try rig.convert("disk.raw", "t.qcow2")
        try waitForRanges(rig, job)
        try rig.check("cancel", job)
        #expect(try rig.watch(job).status == 7, "\(rig.story(of: job))")
        #expect(try rig.leftovers(besides: ["disk.raw"]) == [])
        let issued = try rig.values(of: "tasks.normal", format: "%k\n").count
        try rig.makeRaw("next.raw", megabytes: 1)
        #expect(try rig.watch(rig.submit("checksum", "s/next.raw")).succeeded)
        let later = try rig.values(of: "tasks.normal", format: "%k\n").count { $0 == job }
        #expect(issued == later, "tasks of the cancelled job were issued afterwards")
    }

    @Test(.timeLimit(.minutes(15)))
    func
        `a worker that is asked to leave drains within the grace time, and its tasks go on elsewhere`()
        throws
    {
        let rig = try rig()
        try rig.makeRaw("disk.raw", megabytes: 64)
        try rig.coordinator()
        let leaving = try rig.worker("-m", "2", "--inject-delay", "40", "--grace", "1")
        let job = try rig.submit("checksum", "--range-size", "16M", "s/disk.raw")
        try waitUntil("a range has begun") {
            try rig.values(of: "results", format: "%k %h %s\n").contains {
                $0.hasPrefix(job) && $0.contains("started") && $0.contains("\"range\"")
            }
        }
        let start = ContinuousClock.now
        #expect(try leaving.stop() == 0, "\(rig.logs)")
        #expect(ContinuousClock.now - start < .seconds(8))
        try rig.worker("-m", "2")
        #expect(try rig.watch(job).succeeded)
    }

    @Test(.timeLimit(.minutes(15)))
    func `when one of two coordinators dies its jobs go on from the log alone`() throws {
        let rig = try rig()
        try rig.makeRaw("disk.raw", megabytes: 64)
        let first = try rig.coordinator()
        try rig.worker("-m", "2", "--inject-delay", "20")
        let jobs = try (0..<4).map { number in
            try rig.submit(
                "convert",
                "-O",
                "qcow2",
                "--range-size",
                "4M",
                "s/disk.raw",
                "s/t\(number).qcow2"
            )
        }
        try waitForRanges(rig, jobs[0])
        try rig.coordinator()
        first.kill()
        for (number, job) in jobs.enumerated() {
            #expect(try rig.watch(job).succeeded, "\(rig.logs)")
            try rig.expectSame("disk.raw", "t\(number).qcow2")
            try rig.expectClean("t\(number).qcow2")
        }
        let finished = try rig.values(of: "events", format: "%k %h\n").filter {
            $0.contains("finished")
        }
        #expect(Set(finished).count == 4)
    }

    @Test(.timeLimit(.minutes(15)))
    func `a hundred small jobs are not stuck behind a huge one`() throws {
        let rig = try rig()
        // By itself it would take its four slots over half a minute.
        try rig.makeRaw("huge.raw", megabytes: 1024)
        try rig.makeRaw("small.raw", megabytes: 1)
        try rig.coordinator()
        try rig.worker("-m", "4", "--inject-delay", "150")
        let huge = try rig.submit("checksum", "--range-size", "4M", "s/huge.raw")
        try waitForRanges(rig, huge)
        let lines = (0..<100).map { _ in "[\"checksum\",\"s/small.raw\"]\n" }.joined()
        let script = "printf '%s' '\(lines)' | \(DrayBinary.path) submit --from - --wait"
        let small = try Tool.run(
            ["bash", "-c", script],
            environment: ["DRAY_BROKERS": rig.cluster.brokers, "DRAY_PREFIX": rig.prefix],
            limitSeconds: 300
        )
        #expect(small.succeeded, "\(small.error)\(rig.logs)")
        #expect(
            try rig.check("jobs", "--state", "running").contains(huge),
            "the huge job was done first"
        )
        try rig.check("cancel", huge)
    }

    @Test(.timeLimit(.minutes(15)))
    func `records that nobody can read are dead-lettered, and the fleet goes on`() throws {
        let rig = try rig()
        try rig.makeRaw("disk.raw", megabytes: 2)
        try rig.coordinator()
        try rig.worker()
        for topic in ["requests", "results", "tasks.normal", "control", "jobs"] {
            for headers in [
                "-H x=y", "-H ce_type=dray.task.v99", "-H ce_type=dray.task.v1",
                "-H ce_type=dray.request.submit.v1",
            ] {
                let script =
                    "echo '{\"job\": [[[' | kcat -b \(rig.cluster.brokers) -P -t \(rig.prefix)\(topic) -k k \(headers)"
                try Tool.check(["bash", "-c", script])
            }
        }
        // Ten megabytes: more than the protocol allows, and than the topic takes.
        let file = rig.directory.file("large")
        try Tool.check(["bash", "-c", "head -c 10000000 /dev/zero | tr '\\0' '[' > \(file)"])
        for size in ["7500000", "10000000"] {
            try Tool.check(["truncate", "-s", size, file])
            _ = try Tool.run([
                "kcat", "-b", rig.cluster.brokers, "-P", "-t", rig.prefix + "tasks.normal", "-X",
                "message.max.bytes=20000000", "-H", "ce_type=dray.task.v1", file,
            ])
        }
        #expect(try rig.watch(rig.submit("checksum", "s/disk.raw")).succeeded)
        try waitUntil("the task's dead letters are there") {
            try rig.check("deadletters").contains("tasks.normal/")
        }
        #expect(try rig.check("deadletters").contains("requests/"))
    }
}
