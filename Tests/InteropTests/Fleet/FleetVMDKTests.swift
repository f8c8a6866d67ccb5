// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

/// VMDK targets, of several files too, and VMDK sources, by a fleet on a real Kafka.
@Suite(.enabled(if: KafkaCluster.isAvailable, Comment(rawValue: KafkaCluster.reason)), .serialized)
struct FleetVMDKTests {
    private static let subformats = [
        "monolithicSparse", "monolithicFlat", "twoGbMaxExtentSparse", "twoGbMaxExtentFlat",
        "streamOptimized",
    ]

    /// A fleet whose store has `disk.raw`: more than two files of 2044 MiB can hold, with data around their borders, and no multiple of
    /// a grain.
    private func rig() throws -> FleetRig {
        let rig = try FleetRig(KafkaCluster.shared())
        let (border, disk) = (2044 << 20, rig.store("disk.raw"))
        try Tool.check(["truncate", "-s", "\(2 * border + 70_144)", disk])
        let places = [0, border - (3 << 20), border + (900 << 20), 2 * border - (4 << 20)]
        let writes = (places.map { "\($0) 4M" } + ["\(2 * border) 70144"]).enumerated()
        let words = writes.flatMap { ["-c", "write -q -P \($0 + 1) \($1)"] }
        try Tool.check(["qemu-io", "-f", "raw"] + words + [disk])
        return rig
    }

    private func options(_ subformat: String) -> [String] {
        ["-f", "raw", "-O", "vmdk", "-o", "subformat=\(subformat)", "--range-size", "32M"]
    }

    /// Submits a conversion of `disk.raw` to `subformat`, whose id and target are named after it.
    private func submit(_ rig: FleetRig, _ subformat: String) throws {
        let words = ["submit", "convert", "--id", subformat] + options(subformat)
        let result = try rig.dray(words + ["s/disk.raw", "s/\(subformat).vmdk"])
        #expect(result.succeeded, "\(result.error)")
    }

    /// Expects the job of `subformat` to end with the digest of `disk.raw`, and its target to be what the local command makes: a stream to the
    /// byte, a descriptor to the byte (and with it the number and sizes of its files), everything in content.
    private func expectLocal(_ rig: FleetRig, _ subformat: String, _ digest: String) throws {
        let end = try rig.watch(subformat)
        #expect(end.succeeded && end.output.contains(digest), "\(rig.story(of: subformat))")
        let name = "\(subformat).vmdk"
        let image = rig.store(name)
        try rig.expectSame("disk.raw", name)
        #expect(try Tool.run(["qemu-img", "check", "-q", "-f", "vmdk", image]).succeeded)
        #expect(try rig.localChecksum(name) == digest)
        let directory = try TemporaryDirectory()
        let local = directory.file(name)
        let words = ["convert"] + options(subformat) + [rig.store("disk.raw"), local]
        let result = try DrayBinary.run(words)
        #expect(result.succeeded, "\(result.error)")
        for file in directory.names {
            let (mine, theirs) = try (
                Workbench.size(directory.file(file)), Workbench.size(rig.store(file))
            )
            #expect(mine.length == theirs.length, "\(file)")
        }
        guard subformat != "monolithicSparse" else { return }
        let same = try Tool.run(["cmp", local, image])
        #expect(same.succeeded, "\(same.output)\(same.error)")
    }

    private func files(_ subformat: String) -> [String] {
        let parts =
            switch subformat {
            case "monolithicFlat": ["-flat"]
            case "twoGbMaxExtentSparse": ["-s001", "-s002", "-s003"]
            case "twoGbMaxExtentFlat": ["-f001", "-f002", "-f003"]
            default: [String]()
            }
        return ([""] + parts).map { "\(subformat)\($0).vmdk" }
    }

    @Test(.timeLimit(.minutes(15)))
    func `every subformat is written and read by two workers as by the local command`() throws {
        let rig = try rig()
        try rig.coordinator()
        try rig.worker("-m", "2")
        try rig.worker("-m", "2")
        let digest = try rig.localChecksum("disk.raw")
        for subformat in Self.subformats { try submit(rig, subformat) }
        for subformat in Self.subformats { try expectLocal(rig, subformat, digest) }
        var expected = Set(["disk.raw"] + Self.subformats.flatMap(files))
        #expect(try rig.leftovers(besides: expected) == [])
        let jobs = try Self.subformats.map { subformat in
            try rig.convert("\(subformat).vmdk", "\(subformat).qcow2", rangeSize: "32M")
        }
        for (job, subformat) in zip(jobs, Self.subformats) {
            let end = try rig.watch(job)
            #expect(end.succeeded && end.output.contains(digest), "\(rig.story(of: job))")
            try rig.expectSame("disk.raw", "\(subformat).qcow2")
            expected.insert("\(subformat).qcow2")
        }
        #expect(try rig.leftovers(besides: expected) == [])
    }

    @Test(.timeLimit(.minutes(15)))
    func `a chain over several files is read by the fleet, and refused when its parent changes`()
        throws
    {
        let rig = try FleetRig(KafkaCluster.shared())
        let script = """
            cd \(rig.store(""))
            qemu-img create -q -f vmdk -o subformat=twoGbMaxExtentFlat base.vmdk 24M
            qemu-io -f vmdk -c 'write -q -P 9 0 20M' base.vmdk
            qemu-img create -q -f vmdk -o subformat=twoGbMaxExtentSparse -b base.vmdk -F vmdk top.vmdk
            qemu-io -f vmdk -c 'write -q -P 1 1M 64k' -c 'write -q -P 2 22M 64k' top.vmdk
            """
        try Tool.check(["bash", "-ec", script])
        try rig.coordinator()
        try rig.worker("-m", "2")
        try rig.worker("-m", "2")
        let end = try rig.watch(rig.convert("top.vmdk", "whole.qcow2"))
        #expect(end.succeeded, "\(end.error)\(rig.logs)")
        #expect(end.output.contains(try rig.localChecksum("top.vmdk")))
        try rig.expectSame("top.vmdk", "whole.qcow2")
        // What qemu-io writes to the parent gives it another CID.
        try Tool.check(["qemu-io", "-f", "vmdk", "-c", "write -q 0 4k", rig.store("base.vmdk")])
        let refused = try rig.watch(rig.convert("top.vmdk", "never.qcow2"))
        #expect(refused.status == 3 && refused.error.contains("parentCID"), "\(refused)")
        #expect(try !rig.leftovers(besides: []).contains { $0.contains("never") })
    }

    @Test(.timeLimit(.minutes(15)))
    func `a worker that is killed in the middle of a stream and of several files is replaced`()
        throws
    {
        let rig = try rig()
        try rig.coordinator()
        // A second for each request: from the first ranges of all jobs to the end of any it takes ten at least, so that the kill comes before.
        let victim = try rig.worker("-m", "3", "--inject-delay", "1000")
        let digest = try rig.localChecksum("disk.raw")
        let jobs = ["streamOptimized", "twoGbMaxExtentSparse", "twoGbMaxExtentFlat"]
        for subformat in jobs { try submit(rig, subformat) }
        try rig.waitForRanges(of: jobs)
        victim.kill()
        let running = try rig.check("jobs", "--state", "running")
        #expect(jobs.allSatisfy { running.contains($0) }, "\(running)")
        try rig.worker("-m", "2")
        try rig.worker("-m", "2")
        for subformat in jobs { try expectLocal(rig, subformat, digest) }
        #expect(try rig.leftovers(besides: Set(["disk.raw"] + jobs.flatMap(files))) == [])
    }
}
