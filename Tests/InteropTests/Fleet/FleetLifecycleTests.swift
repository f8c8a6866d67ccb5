// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import TestSupport
internal import Testing

/// A fleet that nobody disturbs: the commands, what they print, and what is in the topics.
@Suite(.enabled(if: KafkaCluster.isAvailable, Comment(rawValue: KafkaCluster.reason)), .serialized)
struct FleetLifecycleTests {
    private func rig() throws -> FleetRig { try FleetRig(KafkaCluster.shared()) }

    @Test(.timeLimit(.minutes(15)))
    func `conversions over two workers equal the local ones, and are no larger`() throws {
        let rig = try rig()
        try rig.makeRaw("disk.raw", megabytes: 96)
        try rig.coordinator()
        try rig.worker("-m", "2")
        try rig.worker("-m", "2")
        for options in [["-o", "cluster_size=64k"], ["-o", "cluster_size=4k,lazy_refcounts=on"]] {
            let command = ["-f", "raw", "-O", "qcow2", "--range-size", "4M"] + options
            let ended = try rig.dray(
                ["submit", "convert", "--wait", "--force"] + command + [
                    "s/disk.raw", "s/fleet.qcow2",
                ]
            )
            #expect(ended.succeeded, "\(ended.error)\(rig.logs)")
            let local = try DrayBinary.run(
                ["convert", "--force"] + command + [
                    rig.store("disk.raw"), rig.store("local.qcow2"),
                ]
            )
            #expect(local.succeeded, "\(local.error)")
            try rig.expectSame("disk.raw", "fleet.qcow2")
            try rig.expectClean("fleet.qcow2")
            let (fleet, other) = try (
                Workbench.size(rig.store("fleet.qcow2")), Workbench.size(rig.store("local.qcow2"))
            )
            #expect(fleet.length <= other.length)
            // A block more is the file system's own, for its list of extents, which follows from the order of writes.
            #expect(fleet.allocated <= other.allocated + 4096, "\(options)")
            let lines = ended.output.split(separator: "\n")
            #expect(lines.count == 2)
            #expect(lines.last == "\(try rig.localChecksum("disk.raw"))  s/fleet.qcow2")
        }
        #expect(try rig.leftovers(besides: ["disk.raw", "fleet.qcow2", "local.qcow2"]) == [])
    }

    @Test(.timeLimit(.minutes(15)))
    func `a checksum job prints what the local command prints, and exits as it would`() throws {
        let rig = try rig()
        try rig.makeRaw("disk.raw", megabytes: 20)
        try rig.coordinator()
        try rig.worker()
        let good = try rig.check("submit", "checksum", "--wait", "s/disk.raw")
        #expect(good.hasSuffix("\(try rig.localChecksum("disk.raw"))  s/disk.raw\n"))
        try Tool.check(["bash", "-c", "printf 'QFI\\xfb garbage' > \(rig.store("bad.qcow2"))"])
        let bad = try rig.dray(["submit", "checksum", "--wait", "-f", "qcow2", "s/bad.qcow2"])
        let local = try DrayBinary.run(["checksum", "-f", "qcow2", rig.store("bad.qcow2")])
        #expect(bad.status == local.status && bad.status == 3, "\(bad.error)")
        #expect(bad.error.contains("s/bad.qcow2") && !bad.error.contains(rig.directory.path))
    }

    @Test(.timeLimit(.minutes(15)))
    func `who submits a job again under its id gets its end, and no other job's`() throws {
        let rig = try rig()
        try rig.makeRaw("disk.raw", megabytes: 8)
        try rig.makeRaw("other.raw", megabytes: 4)
        try rig.coordinator()
        try rig.worker()
        let command = ["submit", "checksum", "--id", "mine", "--wait"]
        let first = try rig.dray(command + ["s/disk.raw"])
        let second = try rig.dray(command + ["s/disk.raw"])
        #expect(first.succeeded && second.succeeded, "\(first.error)\(second.error)\(rig.logs)")
        #expect(first.output == second.output)
        let other = try rig.dray(command + ["s/other.raw"])
        #expect(other.status == 2 && other.error.contains("'mine'"), "\(other.error)")
    }

    @Test(.timeLimit(.minutes(15)))
    func `a very long name in the list of jobs widens no other row`() throws {
        let rig = try rig()
        try rig.coordinator()
        _ = try rig.submit("checksum", "--id", "short", "s/a")
        _ = try rig.submit("checksum", "--id", "long", "s/" + String(repeating: "x", count: 3000))
        try rig.worker()
        _ = try rig.watch("short")
        _ = try rig.watch("long")
        let lines = try rig.check("jobs").split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines.filter { $0.count < 1000 }.count == 2)
    }

    @Test(.timeLimit(.minutes(15)))
    func `kcat and jq alone follow a job to its end`() throws {
        let rig = try rig()
        try rig.makeRaw("disk.raw", megabytes: 64)
        try rig.coordinator()
        try rig.worker()
        let job = try rig.convert("disk.raw", "t")
        #expect(try rig.watch(job).succeeded)
        let script = """
            kcat -b \(rig.cluster.brokers) -C -t \(rig.prefix)events -e -q -o beginning -J |
            jq -r 'select(.key == "\(job)") | .headers as $h | ($h | index("ce_type")) as $at |
                $h[$at + 1] + " " + (.payload | fromjson | .index // "" | tostring)'
            """
        let lines = try Tool.check(["bash", "-o", "pipefail", "-c", script]).split(separator: "\n")
        let ranges = (0..<16).map { "dray.event.range.v1 \($0)" }
        #expect(
            lines.map(String.init)
                == ["dray.event.submitted.v1 ", "dray.event.planned.v1 "] + ranges
                + ["dray.event.finished.v1 "]
        )
    }

    /// Folds the hashes of a job's range events to a blkhash, as another program would.
    private static let fold = """
        import sys, json, re, base64, hashlib, struct
        zero, leaves, size, seen = hashlib.sha256(bytes(65536)).digest(), b"", 0, set()
        for line in sys.stdin:
            record = json.loads(line)
            headers = dict(zip(record["headers"][::2], record["headers"][1::2]))
            if record["key"] != sys.argv[1] or headers["ce_type"] != "dray.event.range.v1": continue
            if headers["ce_id"] in seen: continue
            seen.add(headers["ce_id"])
            result = json.loads(record["payload"])["range"]
            digests = base64.b64decode(result.get("digests", ""))
            for count, kind in re.findall(r"(\\d+)([zd])", result["blocks"]):
                if kind == "z": leaves += zero * int(count)
                else: leaves, digests = leaves + digests[:int(count)], digests[int(count):]
            size += result["length"]
        print(hashlib.sha256(leaves + struct.pack("<Q", size)).hexdigest())
        """

    @Test(.timeLimit(.minutes(15)))
    func `the chunk hashes in events fold to the checksum`() throws {
        let rig = try rig()
        try rig.makeRaw("disk.raw", megabytes: 40)
        try rig.coordinator()
        try rig.worker()
        let jobs = [
            try rig.submit("checksum", "--range-size", "4M", "s/disk.raw"),
            try rig.convert("disk.raw", "t", rangeSize: "8M"),
        ]
        let expected = try rig.localChecksum("disk.raw")
        for job in jobs {
            #expect(try rig.watch(job).succeeded)
            let script = """
                kcat -b \(rig.cluster.brokers) -C -t \(rig.prefix)events -e -q -o beginning -J |
                python3 -c '\(Self.fold)' \(job)
                """
            #expect(try Tool.check(["bash", "-o", "pipefail", "-c", script]) == expected + "\n")
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `what leaves a store is refused, and no host path is told`() throws {
        let rig = try rig()
        try rig.makeRaw("disk.raw", megabytes: 4)
        try Tool.check([
            "bash", "-c",
            "cp \(rig.store("disk.raw")) \(rig.directory.file("secret.raw")) && "
                + "ln -s ../secret.raw \(rig.store("link.raw")) && "
                + "ln -s \(rig.directory.path) \(rig.store("out")) && "
                + "qemu-img create -q -f qcow2 -F raw -b ../secret.raw \(rig.store("over.qcow2"))",
        ])
        try rig.coordinator()
        try rig.worker()
        for source in [
            "s/../secret.raw", "s/link.raw", "s/over.qcow2", "other/disk.raw", "/etc/passwd",
            "s//etc/passwd",
        ] {
            let result = try rig.dray(["submit", "checksum", "--wait", source])
            #expect(result.status == 5, "\(source): \(result.status) \(result.error)")
            #expect(!result.error.contains(rig.directory.path), "\(result.error)")
        }
        for target in ["s/../t.raw", "s/out/t.raw", "s/link.raw"] {
            let result = try rig.dray([
                "submit", "convert", "--force", "--wait", "s/disk.raw", target,
            ])
            #expect(result.status == 5, "\(target): \(result.status) \(result.error)")
        }
        #expect(!rig.directory.names.contains("t.raw"))
    }

    @Test(.timeLimit(.minutes(15)))
    func `jobs, watch and deadletters tell of an error at once, and retry submits again`() throws {
        let rig = try rig()
        try rig.coordinator()
        try rig.worker()
        let job = try rig.submit("convert", "-f", "raw", "-O", "qcow2", "s/late.raw", "s/t.qcow2")
        let failed = try rig.watch(job)
        #expect(failed.status == 1, "\(failed.error)")
        #expect(failed.output.contains("again in") && failed.output.contains("failed: "))
        let list = try rig.check("jobs", "--state", "failed", "--output", "json")
        #expect(list.contains(job) && list.contains("s/late.raw"))
        let letters = try rig.check("deadletters")
        #expect(letters.contains("\(job) plan"), "\(letters)")
        try rig.makeRaw("late.raw", megabytes: 4)
        let again = try rig.check("deadletters", "retry", "0")
        #expect(try rig.check("deadletters", "retry", "0") == again)
        #expect(try rig.watch(again.split(separator: "\n").map(String.init)[0]).succeeded)
        try rig.expectSame("late.raw", "t.qcow2")
        #expect(try rig.dray(["watch", "nothing"]).status == 2)
        #expect(try rig.dray(["deadletters", "retry", "99"]).status == 2)
    }

    @Test(.timeLimit(.minutes(15)))
    func `a file submits many jobs, and nothing where a line is wrong`() throws {
        let rig = try rig()
        for name in ["a", "b", "c"] { try rig.makeRaw("\(name).raw", megabytes: 2, seed: 7) }
        try rig.coordinator()
        try rig.worker()
        let lines = ["a", "b", "c"].map {
            "[\"convert\",\"-O\",\"qcow2\",\"s/\($0).raw\",\"s/\($0).qcow2\"]"
        }
        let file = rig.directory.file("jobs")
        try Data((lines.joined(separator: "\n\n") + "\n").utf8).write(to: URL(filePath: file))
        let result = try rig.dray(["submit", "--from", file, "--wait"])
        #expect(result.succeeded, "\(result.error)")
        #expect(result.output.split(separator: "\n").count == 6)
        for name in ["a", "b", "c"] { try rig.expectSame("\(name).raw", "\(name).qcow2") }
        for wrong in [
            "{}", "[\"compare\"]", "[\"convert\", \"-b\", \"x:1\", \"a\", \"b\"]", "[\"convert\"]",
        ] {
            try Data((lines[0] + "\n" + wrong + "\n").utf8).write(to: URL(filePath: file))
            let refused = try rig.dray(["submit", "--from", file])
            #expect(refused.status == 2 && refused.output.isEmpty, "\(wrong)")
            #expect(refused.error.contains("line 2"), "\(refused.error)")
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `settings come from flags, environment and file, in that order`() throws {
        let rig = try rig()
        let file = rig.directory.file("dray.conf")
        let text =
            "# fleet\nbrokers = \(rig.cluster.brokers)\nprefix = \(rig.prefix)\nstore = s=/tmp\n"
        try Data(text.utf8).write(to: URL(filePath: file))
        let unset = ["DRAY_BROKERS": "", "DRAY_PREFIX": "", "DRAY_CONFIG": file]
        #expect(try DrayBinary.run(["jobs"], environment: unset).succeeded)
        let nowhere = ["DRAY_BROKERS": "127.0.0.1:1", "DRAY_PREFIX": "", "DRAY_CONFIG": file]
        let flag = ["jobs", "-b", rig.cluster.brokers]
        #expect(try DrayBinary.run(flag, environment: nowhere).succeeded)
        let topicless = ["DRAY_PREFIX": "none.", "DRAY_BROKERS": "", "DRAY_CONFIG": file]
        #expect(try DrayBinary.run(["jobs"], environment: topicless).status == 2)
        try Data("brokers = x\nnonsense = 1\n".utf8).write(to: URL(filePath: file))
        let wrong = try DrayBinary.run(["jobs"], environment: unset)
        #expect(wrong.status == 2 && wrong.error.contains("line 2"), "\(wrong.error)")
        let refused = try rig.dray(["jobs", "--kafka", "enable.auto.commit=true"])
        #expect(refused.status == 5, "\(refused.error)")
    }
}
