// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

/// Limits of the process are errors like any other: told, and nothing is left behind.
@Suite struct ProcessLimitTests {
    @Test(arguments: ["raw", "qcow2", "vmdk"])
    func `a target that may not grow so long is told, and its staging file removed`(
        format: String
    ) throws {
        let bench = try Workbench(seed: 1, largestSize: 1 << 20)
        try Tool.check(["bash", "-c", "head -c 3M /dev/urandom > '\(bench.file("source"))'"])
        let names = bench.directory.names
        let words =
            "convert -f raw -O \(format) '\(bench.file("source"))' '\(bench.file("target"))'"
        let script = "ulimit -f 1000; '\(DrayBinary.path)' \(words)"
        let result = try Tool.run(["bash", "-c", script])
        #expect(result.status == 1, "\(result.status) \(result.error)")
        #expect(result.error.contains("File too large"), "\(result.error)")
        #expect(bench.directory.names == names)
    }

    @Test func `many threads have room in an address space of 700 MiB`() throws {
        let directory = try TemporaryDirectory()
        let script = """
            cd "$0"; head -c 128M /dev/urandom > source
            prlimit --as=$((700 << 20)) "$1" convert -m 16 --range-size 4M -f raw -O qcow2 source target
            """
        let result = try Tool.run(["bash", "-c", script, directory.path, DrayBinary.path])
        #expect(result.succeeded, "\(result.status) \(result.error)")
        #expect(directory.names == ["source", "target"])
    }

    @Test(
        .enabled(if: Tool.isInstalled("strace"), "strace lets system calls fail"),
        .timeLimit(.minutes(15)),
        arguments: 1...6,
        [false, true]
    )
    func `a thread that cannot be started is told, and nothing hangs`(
        number: Int,
        hasJournal: Bool
    ) throws {
        let bench = try Workbench(seed: 1, largestSize: 1 << 20)
        // strace counts the calls of each thread: the last ones are those of the worker, which starts its slots.
        let trace = ["strace", "-f", "-qq", "-o", bench.file("trace")]
        let failure = ["-e", "inject=clone3,clone:error=EAGAIN:when=\(number)"]
        var words = [DrayBinary.path, "convert", "-f", "raw", "-O", "qcow2", "-m", "8"]
        if hasJournal { words += ["--journal", bench.file("journal")] }
        let result = try Tool.run(trace + failure + words + [bench.raw, bench.file("target")])
        #expect(result.status == 1, "\(result.status) \(result.error)")
        #expect(result.error.contains("thread"), "\(result.error)")
        #expect(!bench.directory.names.contains("target"))
    }
}
