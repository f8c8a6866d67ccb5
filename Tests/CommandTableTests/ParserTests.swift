// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import CommandTable
internal import Testing

/// Command lines are read as getopt_long(3) reads them, and mistakes are named.
@Suite struct ParserTests {
    private func parse(_ words: String...) throws -> ParsedArguments {
        let parsed = try ConvertTable.command.parse(words)
        try parsed.checkCount()
        return parsed
    }

    @Test func `options and arguments come in any order`() throws {
        let parsed = try parse("a", "-O", "qcow2", "b", "-p", "--", "-c")
        #expect(parsed.positionals == ["a", "b", "-c"])
        #expect(parsed.value(ConvertTable.targetFormat) == "qcow2")
        #expect(parsed.has(.progress) && !parsed.has(ConvertTable.compress))
    }

    @Test
    func `short options may be joined, and long ones shortened and given with an equals sign`()
        throws
    {
        let parsed = try parse("-pnOraw", "--sparse=64k", "--journal", "j", "a", "b")
        #expect(parsed.has(.progress) && parsed.has(ConvertTable.noCreate))
        #expect(parsed.value(ConvertTable.targetFormat) == "raw")
        #expect(parsed.value(ConvertTable.sparseSize) == "64k")
        #expect(parsed.value(ConvertTable.journal) == "j")
    }

    @Test func `the last value counts, and a repeatable option keeps all`() throws {
        let parsed = try parse("-S", "1k", "-S", "2k", "-o", "x=1", "-o", "y=2", "a", "b")
        #expect(parsed.value(ConvertTable.sparseSize) == "2k")
        #expect(parsed.values(ConvertTable.creationOptions) == ["x=1", "y=2"])
    }

    @Test func `one parse leaves nothing behind for the next`() throws {
        for _ in 0..<3 {
            #expect(throws: UsageError.self) { try parse("-pz", "a", "b") }
            #expect(try parse("-p", "a", "b").positionals == ["a", "b"])
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `parses on many threads at once do not mix`() async throws {
        await withTaskGroup(of: Bool.self) { group in
            for number in 0..<200 {
                group.addTask {
                    let words = ["-S", "\(number)k", "source\(number)", "target"]
                    let parsed = try? ConvertTable.command.parse(words)
                    return parsed?.positionals == ["source\(number)", "target"]
                        && parsed?.value(ConvertTable.sparseSize) == "\(number)k"
                }
            }
            for await isRight in group { #expect(isRight) }
        }
    }

    @Test(arguments: [
        (["-z", "a", "b"], "unknown option '-z'"),
        (["--zzz=1", "a", "b"], "unknown option '--zzz'"),
        (["a", "b", "-O"], "option '-O' needs a value"),
        (["a", "b", "--journal"], "option '--journal' needs a value"),
        (["--force=yes", "a", "b"], "option '--force=yes' takes no value"),
        (["--no", "a", "b"], "option '--no' may mean --no-create, --no-references"),
        (["a"], "missing argument: DST"),
        ([], "missing argument: SRC DST"),
    ])
    func `a mistake is named`(words: [String], message: String) {
        #expect(throws: UsageError(message)) {
            try ConvertTable.command.parse(words).checkCount()
        }
    }

    @Test func `an argument too many is named`() {
        #expect(throws: UsageError("unexpected argument 'c'")) {
            try CompareTable.command.parse(["a", "b", "c"]).checkCount()
        }
    }
}
