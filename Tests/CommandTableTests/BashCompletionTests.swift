// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import CommandTable
internal import FoundationEssentials
internal import TestSupport
internal import Testing

/// The completion script, run by bash.
@Suite struct BashCompletionTests {
    /// What bash would offer when the last of `words` is being typed.
    private func completions(_ words: [String]) throws -> [String] {
        let directory = try TemporaryDirectory()
        try Data(BashCompletion.script.utf8).write(to: URL(filePath: directory.file("dray")))
        try Data().write(to: URL(filePath: directory.file("image.raw")))
        let quoted = words.map { "'\($0)'" }.joined(separator: " ")
        let script = """
            set -u; cd '\(directory.path)'; source ./dray
            COMP_WORDS=(\(quoted)); COMP_CWORD=\(words.count - 1); _dray
            printf '%s\\n' "${COMPREPLY[@]}"
            """
        return try Tool.check(["bash", "-c", script]).split(separator: "\n").map(String.init)
    }

    @Test func `commands are offered first`() throws {
        #expect(
            try completions(["dray", "c"]) == [
                "convert", "checksum", "compare", "check", "cancel", "coordinator",
                "completion",
            ]
        )
        #expect(try completions(["dray", "--v"]) == ["--version"])
    }

    @Test func `options of the command are offered behind a dash`() throws {
        #expect(try completions(["dray", "compare", "a", "--st"]) == ["--strict"])
        #expect(try completions(["dray", "info", "--st"]).isEmpty)
    }

    @Test func `words are offered where an option takes one of a few`() throws {
        #expect(try completions(["dray", "convert", "-O", ""]) == ["raw", "qcow2", "vmdk"])
        #expect(
            try completions(["dray", "convert", "--target-cache", "wr"]) == [
                "writeback", "writethrough",
            ]
        )
        #expect(try completions(["dray", "info", "--output", "=", "j"]) == ["json"])
        #expect(try completions(["dray", "completion", ""]).contains("bash"))
    }

    @Test func `the second words of commands are offered, and then their options`() throws {
        #expect(try completions(["dray", "topics", ""]) == ["create", "check"])
        #expect(try completions(["dray", "submit", "ch"]) == ["checksum"])
        #expect(try completions(["dray", "submit", "--fr"]) == ["--from"])
        #expect(
            try completions(["dray", "submit", "convert", "-O", ""]) == ["raw", "qcow2", "vmdk"]
        )
        #expect(try completions(["dray", "submit", "checksum", "--al"]) == ["--allow-references"])
        #expect(try completions(["dray", "deadletters", "r"]) == ["retry"])
    }

    @Test func `files are offered otherwise`() throws {
        #expect(try completions(["dray", "convert", "-p", "im"]) == ["image.raw"])
        #expect(try completions(["dray", "info", "im"]) == ["image.raw"])
    }
}
