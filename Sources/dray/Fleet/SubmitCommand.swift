// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CommandTable
internal import Conversion
internal import Fleet

/// `dray submit`: jobs for a fleet.
enum SubmitCommand {
    /// One command line's jobs.
    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        try submit(NewJob.all(arguments), arguments)
    }

    /// A file's jobs.
    static func runFile(_ arguments: ParsedArguments) throws -> Int32 {
        guard let path = arguments.value(SubmitTable.from) else {
            throw UsageError("give 'convert' or 'checksum', or --from FILE")
        }
        return try submit(SubmissionFile(path: path).jobs, arguments)
    }

    private static func submit(
        _ jobs: [NewJob],
        _ arguments: ParsedArguments
    ) throws -> Int32 {
        let isWaiting = arguments.has(SubmitTable.wait)
        let style =
            arguments.command.options.contains(.progress) ? try ProgressStyle(arguments) : .none
        let signals = isWaiting ? try StopSignals.listen() : nil
        return try FleetConnection.withClient(arguments) { client in
            let ids = jobs.map(\.id)
            let isShown = if case .none = style { false } else { true }
            let named = Set(jobs.filter(\.isNamed).map(\.id))
            let follower =
                isWaiting ? try client.follower(ofNew: ids, named: named, events: isShown) : nil
            var output = StandardOutput()
            try client.send(jobs.map { .submit($0.submission) })
            let isQuiet = arguments.has(.quiet)
            if !isQuiet { for id in ids { try output.write(id + "\n") } }
            try output.flush()
            guard let follower, let signals else { return ExitCode.success }
            let ends = try JobWait(follower, signals, ProgressDisplay(style)).run()
            return try report(jobs, ends, arguments)
        }
    }

    /// Prints what came of the jobs, in the order in which they were given; the first failure gives the exit code.
    private static func report(
        _ jobs: [NewJob],
        _ ends: [String: JobRecord],
        _ arguments: ParsedArguments
    ) throws -> Int32 {
        var code = ExitCode.success
        var output = StandardOutput()
        for job in jobs {
            guard let record = ends[job.id] else { continue }
            let end = JobEnd(record)
            guard record.order.spec == job.submission.order.spec || end.code != ExitCode.success
            else { throw UsageError("--id: '\(job.id)' is the id of another job") }
            if let digest = record.outcome?.digest, end.code == ExitCode.success,
                !arguments.has(.quiet)
            {
                try output.write(ChecksumCommand.line(digest, job.name))
            }
            if let message = end.message {
                StandardError.report("\(arguments.command.name): \(record.order.id): \(message)")
            }
            if code == ExitCode.success { code = end.code }
        }
        try output.flush()
        return code
    }
}
