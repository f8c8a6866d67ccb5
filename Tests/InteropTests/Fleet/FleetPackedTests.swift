// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

/// Compressed targets and sources in containers, by a fleet on a real Kafka.
@Suite(.enabled(if: KafkaCluster.isAvailable, Comment(rawValue: KafkaCluster.reason)), .serialized)
struct FleetPackedTests {
    /// The third has ranges that share clusters of the file, as far as two bits can count.
    private static let types = ["zlib", "zstd", "narrow"]
    private static let packing = ["-c", "-O", "qcow2", "--range-size", "4M"]

    private func rig() throws -> FleetRig { try FleetRig(KafkaCluster.shared()) }

    private func options(_ type: String) -> [String] {
        let isNarrow = type == "narrow"
        let words = isNarrow ? "refcount_bits=2,cluster_size=256k" : "compression_type=\(type)"
        return Self.packing + ["-o", words]
    }

    /// Submits a compressed conversion for each type, all at once; their ids.
    private func submitAll(_ rig: FleetRig) throws -> [String] {
        try Self.types.map { type in
            let words = ["submit", "convert", "--id", type] + options(type)
            let result = try rig.dray(words + ["s/disk.raw", "s/\(type).qcow2"])
            #expect(result.succeeded, "\(result.error)")
            return type
        }
    }

    /// Expects the job of `type` to end, and its target to be the file that the local command makes with few threads and with many.
    private func expectLocalBytes(_ rig: FleetRig, _ type: String) throws {
        #expect(try rig.watch(type).succeeded, "\(rig.story(of: type))")
        let target = "\(type).qcow2"
        for threads in ["1", "16"] {
            let local = rig.store("local")
            let words = ["convert", "--force", "-m", threads] + options(type)
            let result = try DrayBinary.run(words + [rig.store("disk.raw"), local])
            #expect(result.succeeded, "\(result.error)")
            let same = try Tool.run(["cmp", local, rig.store(target)])
            #expect(same.succeeded, "\(type), -m \(threads): \(same.output)\(same.error)")
            try Tool.check(["rm", local])
        }
        try rig.expectClean(target)
        try rig.expectSame("disk.raw", target)
        let (packed, disk) = try (
            Workbench.size(rig.store(target)), Workbench.size(rig.store("disk.raw"))
        )
        #expect(packed.length < disk.length * 3 / 4, "hardly anything was compressed")
    }

    @Test(.timeLimit(.minutes(15)), arguments: [false, true])
    func
        `compressed jobs at once have the bytes of the local command, also when a worker is killed`(
            isKilled: Bool
        ) throws
    {
        let rig = try rig()
        try rig.makeMixed("disk.raw", megabytes: 48)
        try rig.coordinator()
        let jobs = try submitAll(rig)
        // From the first ranges of all jobs to the end it takes ten seconds, so that the kill comes before.
        let victim = try rig.worker("-m", "3", "--inject-delay", isKilled ? "250" : "1")
        if !isKilled { try rig.worker("-m", "2") }
        if isKilled {
            try rig.waitForRanges(of: jobs)
            victim.kill()
            #expect(try rig.check("jobs", "--state", "running").contains("zlib"))
            try rig.worker("-m", "2")
            try rig.worker("-m", "3")
        }
        for type in Self.types { try expectLocalBytes(rig, type) }
        let images = Self.types.map { "\($0).qcow2" }
        #expect(try rig.leftovers(besides: Set(images + ["disk.raw"])) == [])
    }

    /// Sources in containers: what `disk.` ends with, and how it is made of `disk.raw`.
    private static let containers = [
        ("gz", "gzip -1 -c disk.raw > disk.gz"),
        ("xz", "xz -0 -T1 --block-size=8MiB -c disk.raw > disk.xz"),
        ("zst", "zstd -q -c disk.raw > disk.zst"),
        (
            "ova",
            """
            qemu-img convert -f raw -O vmdk -o subformat=streamOptimized disk.raw disk.vmdk
            echo '<File id="a" href="disk.vmdk"/><Disk fileRef="a"/>' > m.ovf
            sha256sum m.ovf disk.vmdk | sed 's/\\(.*\\)  \\(.*\\)/SHA256(\\2)= \\1/' > m.mf
            tar -cf disk.ova m.ovf m.mf disk.vmdk
            rm m.ovf m.mf disk.vmdk
            """
        ),
    ]

    @Test(.timeLimit(.minutes(15)))
    func `sources in containers are read by several workers`() throws {
        let rig = try rig()
        try rig.makeMixed("disk.raw", megabytes: 40)
        for (_, script) in Self.containers {
            try Tool.check(["bash", "-ec", "cd \(rig.store(""))\n" + script])
        }
        try rig.coordinator()
        try rig.worker("-m", "2")
        try rig.worker("-m", "2")
        for (name, _) in Self.containers {
            for command in [
                ["convert", "--id", name, "-c", "-O", "qcow2", "--range-size", "4M"],
                ["checksum", "--id", "sum-" + name, "--range-size", "4M"],
            ] {
                let target = command[0] == "convert" ? ["s/\(name).qcow2"] : []
                let result = try rig.dray(["submit"] + command + ["s/disk." + name] + target)
                #expect(result.succeeded, "\(result.error)")
            }
        }
        let digest = try rig.localChecksum("disk.raw")
        for (name, _) in Self.containers {
            for job in [name, "sum-" + name] {
                let end = try rig.watch(job)
                #expect(end.succeeded && end.output.contains(digest), "\(rig.story(of: job))")
            }
            try rig.expectSame("disk.raw", "\(name).qcow2")
            try rig.expectClean("\(name).qcow2")
        }
    }
}
