// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

/// `--journal`: what was done before a kill is not done again, and the target is the same.
@Suite struct JournalTests {
    /// A source of 96 MiB of data with holes: long enough to be killed in the middle.
    private func source(_ bench: Workbench) throws -> String {
        let source = bench.file("large.raw")
        try Tool.check(["qemu-img", "create", "-q", "-f", "raw", source, "160M"])
        var command = ["qemu-io", "-f", "raw"]
        for index in 0..<24 { command += ["-c", "write -P \(index + 1) \(index * 6)M 4M"] }
        try Tool.check(command + [source])
        return source
    }

    @Test(.timeLimit(.minutes(15)))
    func `fifty killed conversions continue to the same image`() throws {
        var generator = SeededGenerator(for: "journal kills")
        let bench = try Workbench(seed: 1, largestSize: 1 << 20)
        let source = try source(bench)
        var resumed = 0
        for round in 0..<50 {
            let format = round % 2 == 0 ? "qcow2" : "raw"
            let (target, journal) = (bench.file("target"), bench.file("journal"))
            let conversion = KilledConversion(["-O", format], journal: journal, source, target)
            if try conversion.kill(within: 2000..<120_000, using: &generator) > 0 { resumed += 1 }
            let last = try Tool.run(conversion.command)
            #expect(last.succeeded, "DRAY_SEED=\(generator.seed) round \(round): \(last.error)")
            try bench.expectSame(source, "raw", target, format)
            if format == "qcow2" { try bench.expectClean(target) }
            #expect(!bench.directory.names.contains { $0.hasSuffix(".partial") })
            try Tool.check(["bash", "-c", "rm -f \(target) \(journal)*"])
        }
        #expect(resumed > 10, "DRAY_SEED=\(generator.seed): hardly any run was killed")
    }

    @Test(.timeLimit(.minutes(15)), arguments: ["zlib", "zstd"])
    func `killed compressed conversions end byte for byte as undisturbed ones do`(
        type: String
    ) throws {
        var generator = SeededGenerator(for: "kills of \(type)")
        let bench = try Workbench(seed: 1, largestSize: 1 << 20)
        let (source, target) = (bench.file("large.raw"), bench.file("target"))
        let fill = "for i in {1..6}; do seq 1 999999; head -c 4M /dev/urandom; done"
        try Tool.check(["bash", "-c", "(\(fill)) > \(source); truncate -s %4k \(source)"])
        let options = ["-c", "-O", "qcow2", "-o", "compression_type=\(type)"]
        let right = bench.file("right")
        let times = try KilledConversion.times {
            let result = try DrayBinary.run(["convert", "-f", "raw"] + options + [source, right])
            #expect(result.succeeded, "\(result.error)")
        }
        let conversion = KilledConversion(options, journal: bench.file("journal"), source, target)
        try conversion.killAndResume(6, within: times, using: &generator) { seed in
            #expect(try Tool.run(["cmp", target, right]).succeeded, seed)
            try Tool.check(["bash", "-c", "rm -f \(target) \(bench.file("journal"))*"])
        }
    }

    @Test func `a changed source is refused`() throws {
        let bench = try Workbench(seed: 1, largestSize: 1 << 20)
        let source = try source(bench)
        let (target, journal) = (bench.file("target"), bench.file("journal"))
        let command = [
            DrayBinary.path, "convert", "-f", "raw", "-O", "raw", "--journal", journal, source,
            target,
        ]
        try killMidway(command, bench)
        try Tool.check(["qemu-io", "-f", "raw", "-c", "write -P 99 0 4k", source])
        let result = try Tool.run(command)
        #expect(result.status == 6, "\(result.status) \(result.error)")
        #expect(!bench.directory.names.contains("target"))
    }

    /// Starts a conversion to `target` and kills it when more payload has been written than slots can hold, so that ranges are in
    /// the journal; a write that is durable takes its time. One that has ended before it could be killed is begun anew.
    private func killMidway(_ command: [String], _ bench: Workbench) throws {
        let directory = bench.directory.path
        let script = """
            for attempt in {1..50}; do
                "$@" & pid=$!
                until [ "$(stat -c %b \(directory)/.target* 2> /dev/null || echo 0)" -gt 131072 ]; do
                    kill -0 $pid 2> /dev/null || break
                done
                kill -9 $pid 2> /dev/null
                status=0
                wait $pid || status=$?
                case $status in 0 | 137) ;; *) exit $status ;; esac
                if compgen -G "\(directory)/.target*.partial" > /dev/null; then exit $status; fi
                rm -f \(directory)/{target,journal*}
            done
            """
        let killed = try Tool.run(["bash", "-c", script, "bash"] + command)
        try #require(killed.status == 137, "\(killed.status) \(killed.error)")
    }

    /// What a user, a full disk or a cleaning job can do to the unfinished file.
    @Test(
        arguments: ["raw", "qcow2"],
        ["truncate -s 1M", "truncate -s 0", "truncate -s +1G", "rm", "cp"]
    )
    func `an unfinished file that is not as it was left never becomes an image`(
        format: String,
        harm: String
    ) throws {
        let bench = try Workbench(seed: 1, largestSize: 1 << 20)
        let source = try source(bench)
        let (target, journal) = (bench.file("target"), bench.file("journal"))
        let command = [
            DrayBinary.path, "convert", "-f", "raw", "-O", format, "--journal", journal, source,
            target,
        ]
        try killMidway(command, bench)
        let unfinished = bench.file(
            try #require(bench.directory.names.first { $0.hasSuffix(".partial") })
        )
        if harm == "cp" {
            try Tool.check(["cp", unfinished, unfinished + "x"])
            try Tool.check(["mv", unfinished + "x", unfinished])
        } else {
            try Tool.check(harm.split(separator: " ").map(String.init) + [unfinished])
        }
        let result = try Tool.run(command)
        if result.succeeded {
            // Only behind what was written of a format that ends at its tables does it make no difference.
            #expect(format == "qcow2" && harm == "truncate -s +1G")
            try bench.expectSame(source, "raw", target, format)
            try bench.expectClean(target)
        } else {
            #expect(result.status == 6, "\(result.status) \(result.error)")
            #expect(!bench.directory.names.contains("target"))
        }
    }

    /// What may happen between a conversion that ended and the same command with the same journal.
    @Test(
        arguments: ["raw", "qcow2", "vmdk"],
        [
            (":", Int32(0)), ("rm target", 6), ("rm target; echo other > target", 6),
            ("rm $source", 6),
            ("cp target new; mv new target", 6), ("truncate -s +1M $source", 6),
        ]
    )
    func `a job that is done is not said to be done where its target or source is another`(
        format: String,
        change: (script: String, status: Int32)
    ) throws {
        let bench = try Workbench(seed: 1, largestSize: 1 << 20)
        let (directory, journal) = (bench.directory.path, bench.file("journal"))
        let words = [
            "convert", "-f", "raw", "-O", format, "--journal", journal, bench.raw,
            bench.file("target"),
        ]
        #expect(try DrayBinary.run(words).succeeded)
        let script = "cd '\(directory)'; source='\(bench.raw)'; \(change.script)"
        try Tool.check(["bash", "-ec", script])
        let names = bench.directory.names
        let again = try DrayBinary.run(words)
        #expect(again.status == change.status, "\(again.status) \(again.error)")
        #expect(again.status == 0 || again.error.contains("remove the journal"), "\(again.error)")
        #expect(bench.directory.names == names, "nothing is made or removed")
    }

    @Test func `another command is refused with the same journal`() throws {
        let bench = try Workbench(seed: 1, largestSize: 1 << 20)
        let journal = bench.file("journal")
        let command = ["convert", "-f", "raw", "-O", "raw", "--journal", journal, bench.raw]
        #expect(try DrayBinary.run(command + [bench.file("a")]).succeeded)
        let other = try DrayBinary.run(command + [bench.file("b")])
        #expect(other.status == 2, "\(other.status) \(other.error)")
        #expect(!bench.directory.names.contains("b"))
    }

    @Test func `a file that is no journal is left alone`() throws {
        let bench = try Workbench(seed: 1, largestSize: 1 << 20)
        let before = try Tool.check(["sha256sum", bench.raw])
        let result = try DrayBinary.run([
            "convert", "-f", "raw", "-O", "raw", "--journal", bench.raw, bench.raw, bench.file("a"),
        ])
        #expect(result.status != 0, "\(result.error)")
        #expect(try Tool.check(["sha256sum", bench.raw]) == before)
    }
}
