// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

/// Progress, as a program or a script sees it.
@Suite struct ProgressTests {
    private func makeImage() throws -> TemporaryDirectory {
        try ImageRecipe("raw", "head -c 20000000 /dev/urandom > image").make()
    }

    @Test func `a script reads qemu-img's lines on standard output`() throws {
        let directory = try makeImage()
        let words = ["convert", "-p", directory.file("image"), directory.file("out")]
        let result = try DrayBinary.run(words)
        let states = result.output.replacing("\r\n", with: "\r").split(separator: "\r")
        #expect(result.succeeded && result.error.isEmpty && result.output.hasSuffix("\r\n"))
        #expect(states.last == "    (100.00/100%)")
        #expect(Set(states).count == states.count, "no state is said twice")
        #expect(states.allSatisfy { $0.hasPrefix("    (") && $0.hasSuffix("/100%)") })
    }

    @Test func `a program reads one object a line on standard error, and done never falls`() throws
    {
        let directory = try makeImage()
        let words = [
            "convert", "--progress", "json", directory.file("image"), directory.file("out"),
        ]
        let result = try DrayBinary.run(words)
        #expect(result.succeeded && result.output.isEmpty)
        var done: [Double] = []
        for line in result.error.split(separator: "\n") {
            guard case .object(let fields) = try JSONValue.parse(String(line)),
                case .number(let number) = fields["done"], fields["event"] == .text("progress")
            else {
                Issue.record("no progress: \(line)")
                continue
            }
            #expect(fields["total"] == .number(20_000_000) || number == 0)
            done.append(number)
        }
        #expect(done == done.sorted() && done.last == 20_000_000)
    }

    @Test(arguments: [["-q", "-p"], ["--progress", "none"], []])
    func `nothing is said unless it is asked for`(options: [String]) throws {
        let directory = try makeImage()
        let words = ["convert"] + options + [directory.file("image"), directory.file("out")]
        let result = try DrayBinary.run(words)
        #expect(result.succeeded && result.output.isEmpty && result.error.isEmpty)
    }

    @Test func `a checksum's answer stands alone on standard output`() throws {
        let directory = try makeImage()
        let result = try DrayBinary.run(["checksum", "-p", directory.file("image")])
        #expect(
            result.output.split(separator: "\n").count == 1 && result.output.hasSuffix("image\n")
        )
        #expect(result.error.contains("(100.00/100%)"))
    }

    @Test(
        .enabled(if: Tool.isInstalled("script"), "no script(1)")
    )
    func `a person sees a bar that ends full`() throws {
        let directory = try makeImage()
        let command =
            "'\(DrayBinary.path)' convert -p '\(directory.file("image"))' '\(directory.file("out"))'"
        let output = try Tool.check(["script", "-qec", "stty cols 90; " + command, "/dev/null"])
        let last = output.split(separator: "\r").last { $0.contains("%") }
        #expect(
            last?.contains("100% [====") == true && last?.contains("19.1 MiB of 19.1 MiB") == true
        )
    }
}
