// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CommandTable
internal import Conversion
internal import Fleet
internal import FoundationEssentials
internal import TaskLog

/// `dray watch`: a job's events, from its beginning to its end.
enum WatchCommand {
    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let isJSON = try arguments.wantsJSON(.fleetOutput)
        let style = try ProgressStyle(arguments)
        let isQuiet = arguments.has(.quiet)
        let signals = StopSignals.listen()
        return try FleetConnection.withClient(arguments) { client in
            let job = try known(arguments.positionals[0], client)
            let follower = try client.follower(of: job)
            let ends = try JobWait(follower, signals, ProgressDisplay(style)).run { event, record in
                if isJSON {
                    try StandardOutput.write(EventText.json(record) + "\n")
                } else if !isQuiet, let line = EventText.line(event, record) {
                    if case .bar = style { StandardError.write("\r\u{1B}[K") }
                    try StandardOutput.write(line + "\n")
                }
            }
            guard let record = ends[job.content.order.id] else {
                throw DrayError(.bug, "the job ended without a record")
            }
            let end = JobEnd(record)
            if let message = end.message { StandardError.report("watch: \(message)") }
            return end.code
        }
    }

    /// The job's record. Fails with `invalid` where the fleet does not know it.
    static func known(
        _ id: String,
        _ client: FleetClient
    ) throws(DrayError) -> FleetClient.Found<JobRecord> {
        guard let job = try client.job(id) else {
            throw DrayError(.invalid, "the fleet knows no job '\(id)'; 'dray jobs' lists them")
        }
        return job
    }
}

/// `dray cancel`.
enum CancelCommand {
    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let id = arguments.positionals[0]
        return try FleetConnection.withClient(arguments) { client in
            let job = try WatchCommand.known(id, client)
            guard !job.content.state.isEnd else {
                StandardError.report("cancel: the job has ended: \(job.content.state.rawValue)")
                return ExitCode.success
            }
            try client.send([.cancel(id)])
            return ExitCode.success
        }
    }
}
