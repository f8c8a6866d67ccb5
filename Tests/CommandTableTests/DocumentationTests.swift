// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import CommandTable
internal import FoundationEssentials
internal import TestSupport
internal import Testing

/// Everything made from the table says the same, and docs/cli.md says no less and no more.
@Suite struct DocumentationTests {
    static let specs = [Program.root] + Program.commands

    /// docs/cli.md, cut at its headings of commands.
    private static let sections: [String: [Substring]] = {
        let data = try? Data(
            contentsOf: URL(filePath: SharedFiles.repository + "/docs/cli.md")
        )
        let text = String(decoding: data ?? Data(), as: UTF8.self)
        var sections: [String: [Substring]] = [:]
        var current: String?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("## ") { current = String(line.dropFirst(3)) }
            if let current { sections[current, default: []].append(line) }
        }
        return sections
    }()

    @Test func `docs/cli.md has a section for each command and for nothing else`() {
        #expect(Set(Self.sections.keys) == Set(Self.specs.map(\.invocation)))
    }

    @Test(arguments: specs.map(\.invocation))
    func `docs/cli.md documents exactly the options, codes and usage`(invocation: String) throws {
        let spec = try #require(Self.specs.first { $0.invocation == invocation })
        let lines = try #require(Self.sections[invocation])
        let expected = spec.visibleOptions.map { option in
            option.spellings.map { "`\($0)`" }.joined(separator: ", ")
        }
        #expect(cells(lines) { $0.hasPrefix("`-") } == expected)
        #expect(cells(lines) { Int($0) != nil } == spec.exitCodes.map { String($0.code) })
        #expect(lines.contains { $0 == spec.usage })
    }

    @Test(arguments: specs.map(\.invocation))
    func `docs/cli.md says about options and codes what --help says`(invocation: String) throws {
        let spec = try #require(Self.specs.first { $0.invocation == invocation })
        let text = try #require(Self.sections[invocation]).joined(separator: "\n")
        for option in spec.visibleOptions { #expect(text.contains("| \(option.help) |")) }
        for code in spec.exitCodes { #expect(text.contains("| \(code.code) | \(code.meaning) |")) }
    }

    /// The first cells of the rows of tables that `isWanted`.
    private func cells(_ lines: [Substring], _ isWanted: (String) -> Bool) -> [String] {
        lines.filter { $0.hasPrefix("| ") }.compactMap { line in
            let cell = line.dropFirst(2).split(separator: " | ").first.map(String.init)
            return cell.flatMap { isWanted($0) ? $0 : nil }
        }
    }

    @Test(arguments: specs.map(\.invocation))
    func `help shows usage, options, examples and codes, and fits a terminal`(
        invocation: String
    ) throws {
        let spec = try #require(Self.specs.first { $0.invocation == invocation })
        let help = spec.helpText
        #expect(help.hasPrefix("Usage: \(spec.usage)\n"))
        for option in spec.visibleOptions {
            #expect(help.contains("  " + option.spellings.joined(separator: ", ")))
        }
        for example in spec.examples { #expect(help.contains(example.line)) }
        let long = help.split(separator: "\n").filter { $0.count > 80 }
        #expect(long.allSatisfy { line in spec.examples.contains { line.contains($0.line) } })
    }

    @Test(arguments: specs.map(\.invocation))
    func `the table does not contradict itself`(invocation: String) throws {
        let spec = try #require(Self.specs.first { $0.invocation == invocation })
        #expect(Set(spec.options.map(\.long)).count == spec.options.count)
        let letters = spec.options.compactMap(\.short)
        #expect(Set(letters).count == letters.count)
        #expect(spec.arguments.filter(\.isRepeatable).count <= 1)
        #expect(!spec.summary.hasSuffix("."))
        #expect(spec.options.allSatisfy { $0.help.hasSuffix(".") })
    }

    @Test(
        .enabled(if: Tool.isInstalled("man"), "no man"),
        arguments: specs.map(\.invocation)
    )
    func `the manual page is clean roff and shows every option`(invocation: String) throws {
        let spec = try #require(Self.specs.first { $0.invocation == invocation })
        let directory = try TemporaryDirectory()
        try Data(spec.manPage.utf8).write(to: URL(filePath: directory.file("page.1")))
        let result = try Tool.run(
            ["man", "--warnings", "-l", "-P", "cat", directory.file("page.1")],
            environment: ["MANWIDTH": "500", "LC_ALL": "C.UTF-8"]
        )
        #expect(result.succeeded && result.error.isEmpty, "\(result.error)")
        for option in spec.visibleOptions { #expect(result.output.contains("--\(option.long)")) }
    }

    @Test func `make man makes a page of each command`() throws {
        let makefile = try String(
            decoding: Data(contentsOf: URL(filePath: SharedFiles.repository + "/Makefile")),
            as: UTF8.self
        )
        let names = Program.commands.map { $0.name.replacing(" ", with: "-") }
            .joined(separator: " ")
        #expect(makefile.contains("\nCOMMANDS = \(names)\n"))
    }
}
