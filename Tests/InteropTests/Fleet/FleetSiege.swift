// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import TestSupport
internal import Testing

/// A fleet under random kills, and the jobs that it must do all the same.
final class FleetSiege {
    /// A job that was submitted, with someone who follows it.
    private struct Job {
        let id: String
        let watcher: RunningTool
        /// The target in the store, nil for a checksum.
        let target: String?
        /// Whether someone cancelled it: then it may end so, with nothing left, or well.
        let isCancelled: Bool
    }

    /// The images that jobs read.
    let sources: Set<String> = ["disk.raw", "disk.qcow2", "disk.vmdk", "base.qcow2"]
    /// How many jobs were found right.
    private(set) var judged = 0

    private let rig: FleetRig
    private let digest: String
    private var coordinators: [FleetRole] = []
    private var workers: [FleetRole] = []
    private var jobs: [Job] = []
    private var submitted = 0
    private static let mostJobs = 5
    /// The options of all kinds of conversions: of the VMDK ones a stream comes in order, others have several files.
    private static let conversions =
        [
            ["-O", "qcow2"], ["-O", "raw"], ["-O", "qcow2", "-B", "base.qcow2", "-F", "qcow2"],
            ["-c", "-O", "qcow2"], ["-c", "-O", "qcow2", "-o", "compression_type=zstd"],
        ]
        + [
            "streamOptimized", "monolithicSparse", "twoGbMaxExtentSparse", "twoGbMaxExtentFlat",
        ].map { ["-O", "vmdk", "-o", "subformat=\($0)"] }

    /// A fleet of two coordinators and three workers.
    init(_ rig: FleetRig) throws {
        self.rig = rig
        try rig.makeMixed("disk.raw", megabytes: 40)
        try Tool.check([
            "bash", "-c",
            "cd \(rig.store("")) && qemu-img convert -f raw -O qcow2 disk.raw disk.qcow2 && "
                + "qemu-img convert -f raw -O vmdk -o subformat=streamOptimized disk.raw disk.vmdk && "
                + "qemu-img create -q -f qcow2 base.qcow2 40M",
        ])
        digest = try rig.localChecksum("disk.raw")
        coordinators = try [coordinator(), coordinator()]
        for _ in 0..<3 { workers.append(try worker()) }
    }

    /// Submits jobs of random kinds until a few are open.
    func keepBusy(using generator: inout SeededGenerator) throws {
        while jobs.count < Self.mostJobs {
            submitted += 1
            let target = "t\(submitted)"
            let id = "job-\(submitted)"
            let size = ["4M", "8M", "16M"].randomElement(using: &generator) ?? "4M"
            let ending = ["raw", "qcow2", "vmdk"].randomElement(using: &generator) ?? "raw"
            let source = "s/disk.\(ending)"
            let commands =
                Self.conversions.map { ["convert"] + $0 + [source, "s/\(target)"] }
                + [["checksum", source]]
            let command = commands.randomElement(using: &generator) ?? commands[0]
            // The ranges of a stream are those of its tables.
            let isStream = command.contains("subformat=streamOptimized")
            let common = ["--id", id] + (isStream ? [] : ["--range-size", size])
            let result = try rig.dray(
                ["submit", command[0]] + common + command.dropFirst(),
                limitSeconds: 300
            )
            guard result.succeeded else { throw SupportError("submit: \(result.error)\(rig.logs)") }
            let watcher = try rig.watcher(id)
            let isCancelled = Int.random(in: 0..<6, using: &generator) == 0
            if isCancelled { try rig.check("cancel", id, limitSeconds: 300) }
            jobs.append(
                Job(
                    id: id,
                    watcher: watcher,
                    target: command[0] == "convert" ? target : nil,
                    isCancelled: isCancelled
                )
            )
        }
    }

    /// Kills something, and starts it again.
    func kill(using generator: inout SeededGenerator) throws {
        switch Int.random(in: 0..<10, using: &generator) {
        case 0:
            try rig.cluster.kill(1)
            try rig.cluster.resume(1)
        case 1:
            for worker in workers { worker.kill() }
            workers = try workers.map { _ in try worker() }
        case 2, 3, 4:
            let index = coordinators.indices.randomElement(using: &generator) ?? 0
            coordinators[index].kill()
            coordinators[index] = try coordinator()
        default:
            let index = workers.indices.randomElement(using: &generator) ?? 0
            workers[index].kill()
            workers[index] = try worker()
        }
    }

    /// Judges the jobs that have ended.
    func judgeEnded() throws {
        // Judging takes a while, in which others end: each is looked at once.
        let ended = jobs.filter { !$0.watcher.isRunning }
        jobs.removeAll { job in ended.contains { $0.id == job.id } }
        for job in ended { try judge(job, limitSeconds: 120) }
    }

    private func end(of job: Job, limitSeconds: Int) throws -> Tool.Output {
        do {
            return try job.watcher.wait(limitSeconds: limitSeconds)
        } catch {
            throw SupportError("\(error)\(rig.story(of: job.id))")
        }
    }

    /// Waits for all jobs, and judges them.
    func judgeAll() throws {
        for job in jobs { try judge(job, limitSeconds: 600) }
        jobs = []
        // What a killed plan step may have left is removed when its lease is over.
        for _ in 0..<600 where try !rig.leftovers(besides: sources).isEmpty { usleep(200_000) }
        for role in workers + coordinators { #expect(try role.stop() == 0, "\(rig.logs)") }
    }

    /// Deaths are many here, and no task's fault.
    private func coordinator() throws -> FleetRole { try rig.coordinator("--deaths", "16") }

    private func worker() throws -> FleetRole { try rig.worker("-m", "2", "--inject-delay", "4") }

    private func judge(_ job: Job, limitSeconds: Int) throws {
        let end = try end(of: job, limitSeconds: limitSeconds)
        if job.isCancelled, end.error.contains("the job was cancelled") {
            if let target = job.target {
                #expect(
                    try !Tool.run(["test", "-e", rig.store(target)]).succeeded,
                    "\(rig.story(of: job.id))"
                )
            }
            judged += 1
            return
        }
        guard end.succeeded else {
            throw SupportError(
                "\(job.id) ended with \(end.status): \(end.output)\(end.error)\(rig.story(of: job.id))"
            )
        }
        #expect(end.output.contains("finished: \(digest)"), "\(job.id): \(end.output)")
        if let target = job.target {
            try rig.expectSame("disk.raw", target)
            if try Tool.check(["head", "-c", "3", rig.store(target)]) == "QFI" {
                try rig.expectClean(target)
            }
            // With the files of a VMDK target.
            try Tool.check(["bash", "-c", "rm \"$0\" && rm -f \"$0\"-*", rig.store(target)])
        }
        judged += 1
    }
}
