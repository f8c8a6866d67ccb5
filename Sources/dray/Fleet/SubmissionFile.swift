// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CommandTable
internal import FoundationEssentials

/// A file of jobs, one a line: a JSON array of the words that would follow 'dray submit'.
struct SubmissionFile {
    /// The jobs, in order.
    let jobs: [NewJob]

    /// Reads `path`, or standard input for `-`. Fails for the first line that is no job, with its number.
    init(path: String) throws {
        let data = try InputFile.read(path)
        var jobs: [NewJob] = []
        for (number, line) in data.split(
            separator: UInt8(ascii: "\n"),
            omittingEmptySubsequences: false
        ).enumerated() {
            guard line.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) else { continue }
            do {
                jobs += try Self.jobs(line)
            } catch let error as UsageError {
                throw UsageError("\(path), line \(number + 1): \(error.message)")
            }
        }
        self.jobs = jobs
    }

    private static func jobs(_ line: ArraySlice<UInt8>) throws -> [NewJob] {
        guard let words = try? JSONDecoder().decode([String].self, from: Data(line)) else {
            throw UsageError("this is no JSON array of words")
        }
        guard let (spec, rest) = Program.command(in: ["submit"] + words), spec.name != "submit"
        else {
            throw UsageError("the first word is not 'convert' or 'checksum'")
        }
        let arguments = try spec.parse(rest)
        try arguments.checkCount()
        let own = [
            OptionSpec.brokers, .prefix, .kafka, .config, .progress, .progressStyle, .quiet, .help,
            SubmitTable.wait,
        ]
        for option in own where arguments.has(option) {
            throw UsageError("--\(option.long) belongs to the command, not to a job of the file")
        }
        return try NewJob.all(arguments)
    }
}
